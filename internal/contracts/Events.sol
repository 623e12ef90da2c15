// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Events of every shape, as many as a test asks for.
contract Events {
    event Ping(uint256 indexed n, address indexed who, string note);
    /// Indexed values of dynamic types are in the topics as hashes only.
    event Noted(string indexed title, bytes indexed body, uint256[] indexed list, bytes rest);
    event Whole(int64 indexed small, bool indexed flag, bytes4 indexed tag, uint256[2] pair);
    event Unnamed(uint256 n) anonymous;

    /// ping emits count events Ping, numbered upwards from the first.
    function ping(uint256 from, uint256 count) external {
        for (uint256 i = 0; i < count; i++) {
            emit Ping(from + i, msg.sender, "ping");
        }
    }

    /// say emits one Ping with a note of the caller's.
    function say(uint256 n, string calldata text) external {
        emit Ping(n, msg.sender, text);
    }

    function note(string calldata title, bytes calldata body, uint256[] calldata list, bytes calldata rest) external {
        emit Noted(title, body, list, rest);
    }

    function whole(int64 small, bool flag, bytes4 tag, uint256[2] calldata pair) external {
        emit Whole(small, flag, tag, pair);
    }

    function unnamed(uint256 n) external {
        emit Unnamed(n);
    }
}
