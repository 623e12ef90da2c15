// Package rig puts a boatd on a bench: the process with its state directory, the
// terminals and sockets by which hosts reach it, and a chain for its network.
// Everything listens on loopback only and ends with the process that started it.
//
// A [Stage] is all of it for one transcript. Of a transcript's file it reads
//
//	-- config --        tables of the configuration; see below
//	-- config NAME --   the same for "! restart NAME"
//	-- chain --         "devchain", with a time where it makes blocks by
//	                    itself ("devchain 200ms"), or fakenode.Options as JSON
//	-- file NAME --     a file that lies in $DIR from the start
//
// # Configuration
//
// What stands in the section is laid over a small configuration: channels uart
// (pty) and local (unix), and the network dev with chain id 1337 and one endpoint.
// A section that has a [[channel]] or a [[network]] has all of them. These words
// are replaced: $DIR the directory of the stage, $NODE and $NODE2 the URLs of the
// chain's nodes.
//
// # Steps
//
//	! restart [NAME]        end it with SIGTERM, which must go well, and start it again
//	! kill [NAME]           end it with SIGKILL and start it again
//	! stop                  end it with SIGTERM
//	! start [NAME]          start it
//	! isolate               from the next start on it has no network, not even loopback
//	! flash bad|good        every write to a file fails, or none any more
//	! copy FROM TO          copy a file in $DIR
//	! log REGEXP            wait until its log matches
//	! unlogged TEXT         nothing in its log may contain the text
//
//	! mine N                make N blocks
//	! fund ADDRESS AMOUNT   give coin
//	! reorg N               replace the newest N blocks by N+1 empty ones
//	! drop                  empty the pools
//	! down, ! up            the nodes refuse connections, or take them again
//	! hang, ! unhang        the nodes take requests and do not answer, or do again
//	! faults N JSON         set fakenode.Faults of node N (1 or 2)
//	! fees BASE TIP         of the next blocks
//	! late fails|works      what calls to fakenode.Late do when included
//	! genesis SEED          start the chain again from another first block
//
// and these, which fail when the chain does not say so:
//
//	! nonce ADDRESS N
//	! balance ADDRESS AMOUNT
//	! effects ADDRESS N     transactions to it that are in the chain and succeeded;
//	                        "-" for deployments
package rig
