// compile.js compiles every contract of this folder with the compiler that
// package-lock.json of internal/peers names, and writes what came out beside
// each source. Run by "make contracts".
//
//	node compile.js <node_modules> <folder>
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const [modules, folder] = process.argv.slice(2);
const solc = require(path.resolve(modules, "solc"));

// No hash of the source's metadata stands behind the code: the bytes depend on
// the code alone.
const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "shanghai",
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

function compile(file) {
  const name = path.basename(file, ".sol");
  const source = fs.readFileSync(path.join(folder, file));
  const output = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity",
    sources: { [file]: { content: source.toString("utf8") } },
    settings: { ...settings, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } } },
  })));
  for (const e of output.errors || []) process.stderr.write(e.formattedMessage);
  if (output.errors) throw new Error(file + ": does not compile without a word");
  const made = output.contracts[file][name];
  return {
    compiler: solc.version(),
    settings,
    sourceSha256: crypto.createHash("sha256").update(source).digest("hex"),
    abi: made.abi,
    bytecode: made.evm.bytecode.object,
    deployedBytecode: made.evm.deployedBytecode.object,
  };
}

for (const file of fs.readdirSync(folder).filter((f) => f.endsWith(".sol")).sort()) {
  const artefact = JSON.stringify(compile(file), null, 1) + "\n";
  fs.writeFileSync(path.join(folder, file.replace(/\.sol$/, ".json")), artefact);
}
