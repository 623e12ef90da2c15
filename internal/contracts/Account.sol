// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// An account that is a contract: what its owner has signed is signed by it
/// (EIP-1271).
contract Account {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    /// isValidSignature answers 0x1626ba7e where r, s and v are the owner's.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address got = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return got != address(0) && got == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
