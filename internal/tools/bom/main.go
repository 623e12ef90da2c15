// Bom writes what a device binary is made of: a bill of materials (CycloneDX 1.5,
// JSON) and the notices that its licences ask for.
//
//	bom --cc arm-linux-gnueabihf-gcc --version 1.2.3 --sbom out.json --notices out.txt binary
//
// Modules come from the binary itself, which packages of them were linked from
// go list with the binary's own settings, licences from docs/dependencies.md,
// where a test holds them against the modules' own files. What the C compiler adds
// is asked of it and of dpkg. It is run from the checkout's root.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	cc := flag.String("cc", "", "the C `compiler` that linked the binary")
	version := flag.String("version", "", "the binary's `version`")
	sbom := flag.String("sbom", "", "write the bill of materials to this `file`")
	notices := flag.String("notices", "", "write the notices to this `file`")
	flag.Parse()
	if err := run(flag.Arg(0), *cc, *version, *sbom, *notices); err != nil {
		fmt.Fprintf(os.Stderr, "bom: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, cc, version, sbom, notices string) error {
	p, err := look(binary, cc)
	if err != nil {
		return err
	}
	if sbom != "" {
		b, err := bill(p, version, os.Getenv("SOURCE_DATE_EPOCH"))
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(b, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(sbom, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if notices != "" {
		text, err := noticesOf(p)
		if err != nil {
			return err
		}
		return os.WriteFile(notices, text, 0o644)
	}
	return nil
}
