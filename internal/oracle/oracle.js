// oracle.js answers questions about encodings, hashes, signatures and keys with
// ethers, which shares no code with boatd: one JSON object a line on the standard
// input, one a line on the standard output, in the same order.
//
//	node oracle.js <folder of ethers>
//
// Integers are decimal strings, bytes are 0x and hex, values of arrays and tuples
// are lists.
"use strict";

const path = require("path");
const readline = require("readline");
const ethers = require(path.resolve(process.argv[2]));

// plain makes of what ethers decodes what JSON can say.
function plain(v) {
  if (typeof v === "bigint") return v.toString();
  if (v instanceof ethers.Result) return v.toArray().map(plain);
  return v;
}

// join is a signature as 65 bytes: r, s, v 27 or 28.
const join = (sig) => ethers.concat([sig.r, sig.s, ethers.toBeHex(sig.v)]);

const answers = {
  // call: a function's call data both ways, and what it returns.
  call({ signature, returns, args, data, values }) {
    const iface = new ethers.Interface([`function ${signature} returns (${returns.join(",")})`]);
    const f = iface.fragments[0];
    const returned = iface.encodeFunctionResult(f, values);
    return {
      canonical: f.format("sighash"),
      selector: f.selector,
      data: iface.encodeFunctionData(f, args),
      args: plain(iface.decodeFunctionData(f, data)),
      returned,
      values: plain(iface.decodeFunctionResult(f, returned)),
    };
  },

  // init: what stands behind the init code.
  init({ types, args }) {
    return { data: ethers.AbiCoder.defaultAbiCoder().encode(types, args) };
  },

  // event: a log.
  event({ signature, values }) {
    const iface = new ethers.Interface([`event ${signature}`]);
    const e = iface.fragments[0];
    const log = iface.encodeEventLog(e, values);
    return { canonical: e.format("sighash"), topics: log.topics, data: log.data };
  },

  // typed: the hash of typed data, who made a signature of it, and another one.
  typed({ domain, types, message, primary, key, signature }) {
    const encoder = ethers.TypedDataEncoder.from(types);
    const digest = ethers.TypedDataEncoder.hash(domain, types, message);
    return {
      primary: encoder.primaryType,
      type: encoder.encodeType(primary),
      separator: ethers.TypedDataEncoder.hashDomain(domain),
      digest,
      who: ethers.verifyTypedData(domain, types, message, signature),
      signature: join(new ethers.SigningKey(key).sign(digest)),
    };
  },

  // message: the same of a message (EIP-191).
  message({ message, key, signature }) {
    const bytes = ethers.getBytes(message);
    return {
      digest: ethers.hashMessage(bytes),
      who: ethers.verifyMessage(bytes, signature),
      signature: new ethers.Wallet(key).signMessageSync(bytes),
    };
  },

  // transaction: what signed bytes say.
  transaction({ raw }) {
    const tx = ethers.Transaction.from(raw);
    return {
      type: tx.type, chainId: plain(tx.chainId), nonce: tx.nonce, gas: plain(tx.gasLimit),
      price: plain(tx.gasPrice), cap: plain(tx.maxFeePerGas), tip: plain(tx.maxPriorityFeePerGas),
      to: tx.to, value: plain(tx.value), data: tx.data, list: tx.accessList ? tx.accessList.length : 0,
      hash: tx.hash, from: tx.from, unsigned: tx.unsignedHash, serialized: tx.serialized,
    };
  },

  // signed: the bytes of a transaction, from its fields.
  signed({ fields, key }) {
    const tx = ethers.Transaction.from(fields);
    tx.signature = new ethers.SigningKey(key).sign(tx.unsignedHash);
    return { raw: tx.serialized };
  },

  // address: a checksum, and the address of a compressed public key.
  address({ address, key }) {
    const pub = ethers.SigningKey.computePublicKey(key, true);
    return { address: ethers.getAddress(address), public: pub, of: ethers.computeAddress(pub) };
  },

  // mnemonic: words, and the key that they lead to.
  mnemonic({ entropy, passphrase, path }) {
    const phrase = ethers.Mnemonic.fromEntropy(entropy, passphrase).phrase;
    return { phrase, key: ethers.HDNodeWallet.fromPhrase(phrase, passphrase, path).privateKey };
  },

  // web3: a key file written, and one read.
  web3({ key, passphrase, scrypt, file }) {
    const address = ethers.computeAddress(key);
    const opened = ethers.decryptKeystoreJsonSync(file, passphrase);
    return {
      file: ethers.encryptKeystoreJsonSync({ address, privateKey: key }, passphrase, { scrypt }),
      key: opened.privateKey,
      address: opened.address,
    };
  },
};

const input = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
input.on("line", (line) => {
  let out;
  try {
    const { ask, ...question } = JSON.parse(line);
    out = answers[ask](question);
  } catch (e) {
    out = { error: String((e && e.stack) || e) };
  }
  process.stdout.write(JSON.stringify(out) + "\n");
});
