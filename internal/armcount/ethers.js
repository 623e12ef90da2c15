// ethers.js writes the processor time, in microseconds, that a payment takes with
// ethers: asked about, signed, sent, seen in a block and seen to be final.
//
//	node ethers.js <folder of ethers> <url of the node> <url that mines> <private key>
"use strict";

const path = require("path");
const ethers = require(path.resolve(process.argv[2]));
const [url, mine, key] = process.argv.slice(3);

async function pay(wallet, provider) {
  const sent = await wallet.sendTransaction({ to: "0x0000000000000000000000000000000000009001", value: 1000000000n });
  await fetch(mine);
  const receipt = await provider.getTransactionReceipt(sent.hash);
  const height = await provider.getBlockNumber();
  if (receipt.status !== 1 || height < receipt.blockNumber + 2) throw new Error("the payment is not final");
}

async function main() {
  const provider = new ethers.JsonRpcProvider(url, 1337, { staticNetwork: true, cacheTimeout: -1 });
  const wallet = new ethers.Wallet(key, provider);
  const warm = 20, counted = 60; // the first ones are compiled on the way
  for (let i = 0; i < warm; i++) await pay(wallet, provider);
  const start = process.cpuUsage();
  for (let i = 0; i < counted; i++) await pay(wallet, provider);
  const used = process.cpuUsage(start);
  console.log(Math.round((used.user + used.system) / counted));
  provider.destroy();
}

main();
