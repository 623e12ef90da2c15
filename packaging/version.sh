#!/bin/sh
# version.sh VERSION: the version of the packages, of what the binary calls itself.
#
#   v1.2.3             1.2.3                       a release
#   v1.2.3-4-gabc1234  1.2.3+git4.abc1234          four commits behind it
#   abc1234            0.0.0+git20261122211938.abc1234   no release yet: by the commit's time
#   ...-dirty          ....dirty                   files were changed since
#
# dpkg and every opkg put these in this order. There is no ~, which old opkgs sort
# after the release instead of before it, and so no v1.2.3-rc1: a release to be
# tried out has a number of its own.
set -eu
version=$1
dirty=
case $version in
*[!0-9a-zA-Z.-]*) version= ;;
*-dirty)
	version=${version%-dirty}
	dirty=.dirty
	;;
esac
if echo "$version" | grep -qxE 'v?[0-9]+(\.[0-9]+){2}'; then
	echo "${version#v}${dirty:++git0$dirty}"
elif echo "$version" | grep -qxE 'v?[0-9]+(\.[0-9]+){2}-[0-9]+-g[0-9a-f]+'; then
	echo "${version#v}$dirty" | sed -E 's/-([0-9]+)-g/+git\1./'
elif echo "$version" | grep -qxE '[0-9a-f]{7,40}|unknown'; then
	echo "0.0.0+git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$version$dirty"
else
	echo "version.sh: \"$1\" is no version; want 1.2.3, or what git describe says of one" >&2
	exit 1
fi
