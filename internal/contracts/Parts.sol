// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Many kinds of things, of each a number (ERC-1155), without the parts that no
/// test needs. Whoever creates it has the amounts that it names of kinds 1, 2, ...
contract Parts {
    event TransferSingle(
        address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value
    );
    event TransferBatch(
        address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values
    );
    event ApprovalForAll(address indexed account, address indexed operator, bool approved);

    error NotYours(address sender);
    error NotEnough(uint256 id, uint256 have, uint256 want);

    mapping(address => mapping(uint256 => uint256)) public balanceOf;
    mapping(address => mapping(address => bool)) public isApprovedForAll;

    constructor(uint256[] memory amounts) {
        for (uint256 i = 0; i < amounts.length; i++) {
            balanceOf[msg.sender][i + 1] = amounts[i];
            emit TransferSingle(msg.sender, address(0), msg.sender, i + 1, amounts[i]);
        }
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0xd9b67a26;
    }

    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids)
        external
        view
        returns (uint256[] memory balances)
    {
        balances = new uint256[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) {
            balances[i] = balanceOf[accounts[i]][ids[i]];
        }
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external {
        move(from, to, id, value);
        emit TransferSingle(msg.sender, from, to, id, value);
        if (to.code.length > 0) {
            bytes4 answer = Receiver(to).onERC1155Received(msg.sender, from, id, value, data);
            require(answer == Receiver.onERC1155Received.selector, "not a receiver");
        }
    }

    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external {
        require(ids.length == values.length, "lengths differ");
        for (uint256 i = 0; i < ids.length; i++) {
            move(from, to, ids[i], values[i]);
        }
        emit TransferBatch(msg.sender, from, to, ids, values);
        if (to.code.length > 0) {
            bytes4 answer = Receiver(to).onERC1155BatchReceived(msg.sender, from, ids, values, data);
            require(answer == Receiver.onERC1155BatchReceived.selector, "not a receiver");
        }
    }

    function move(address from, address to, uint256 id, uint256 value) private {
        if (msg.sender != from && !isApprovedForAll[from][msg.sender]) revert NotYours(msg.sender);
        uint256 have = balanceOf[from][id];
        if (have < value) revert NotEnough(id, have, value);
        balanceOf[from][id] = have - value;
        balanceOf[to][id] += value;
    }
}

interface Receiver {
    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data)
        external
        returns (bytes4);

    function onERC1155BatchReceived(
        address operator,
        address from,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external returns (bytes4);
}
