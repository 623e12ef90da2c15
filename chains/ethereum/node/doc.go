// Package node decides which of a network's Ethereum nodes to ask and which
// not to believe.
//
// A [Pool] tries its endpoints in the order of the configuration and lets one
// rest that fails, is syncing or is behind the others. On every new connection,
// before anything it says is believed and before any signed bytes go over it,
// an endpoint is asked which chain it is on. Another answer than the pinned one
// takes the endpoint out of use for good.
package node
