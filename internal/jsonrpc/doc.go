// Package jsonrpc is a small JSON-RPC 2.0 client over HTTP for servers that
// are not trusted: everything that comes back is bounded, nothing is followed
// (no redirects, cookies or proxies), and an answer counts only when its id is
// the id of a question.
//
// It keeps its own connections, one value each, instead of net/http's pool,
// because what a server may be believed depends on the connection: a name that
// led to one chain yesterday can lead to another today. A caller gives
// [Options.Hello] and [Options.Greet], and on every new connection the hello
// goes out first, in the same batch as the request that opened it; nothing of
// that connection is handed on before Greet has agreed.
package jsonrpc
