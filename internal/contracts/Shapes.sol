// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Arguments, answers and failures of every shape. What it is given it keeps as a
/// hash of the encoding, so that a test compares one word.
contract Shapes {
    struct Point {
        int32 x;
        int32 y;
    }

    struct Path {
        string name;
        Point[] points;
        bytes4[2] tags;
    }

    error Simple();
    error Detailed(uint256 code, address who, string text);

    bytes32 public last;
    uint256 public total;

    constructor(uint256 total_, Path memory path) payable {
        total = total_;
        last = keccak256(abi.encode(total_, path));
    }

    function take(Path calldata path) external {
        last = keccak256(abi.encode(path));
    }

    function take(Path[] calldata paths, uint256[][] calldata grid) external payable {
        last = keccak256(abi.encode(paths, grid));
    }

    function take(address a, uint256 b, int8 c, bool d, bytes calldata e, bytes3 f, string calldata g) external {
        last = keccak256(abi.encode(a, b, c, d, e, f, g));
    }

    /// add is there three times: the signature tells which.
    function add(uint256 n) external {
        total += n;
    }

    function add(uint256 n, uint256 m) external {
        total += n * m;
    }

    function add(uint256[] calldata all) external {
        for (uint256 i = 0; i < all.length; i++) {
            total += all[i];
        }
    }

    function twice(uint256 n) external pure returns (uint256) {
        return 2 * n;
    }

    function twice(int8 n) external pure returns (int16) {
        return 2 * int16(n);
    }

    function values()
        external
        pure
        returns (uint256 big, int256 small, bool flag, address who, bytes4 tag, string memory text, bytes memory data)
    {
        return (
            type(uint256).max,
            type(int256).min,
            true,
            0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F,
            0x1626ba7e,
            unicode"OK\r\nÄ",
            hex"00ff"
        );
    }

    function nested() external pure returns (Path memory path, uint256[][] memory grid) {
        path.name = "north";
        path.points = new Point[](2);
        path.points[1] = Point(-1, 2);
        path.tags = [bytes4(0x01020304), bytes4(0xffffffff)];
        grid = new uint256[][](2);
        grid[1] = new uint256[](1);
        grid[1][0] = 7;
    }

    /// fail fails in the way that is asked for.
    function fail(uint256 how) external view returns (uint256) {
        if (how == 0) revert();
        if (how == 1) revert("NO CARRIER\r\nOK");
        if (how == 2) revert Simple();
        if (how == 3) revert Detailed(7, msg.sender, "BUSY");
        if (how == 4) assert(false);
        if (how == 5) return how / (how - 5);
        if (how == 6) return new uint256[](1)[how];
        return type(uint256).max + how;
    }

    /// answer returns n bytes, or reverts with them.
    function answer(uint256 n, bool bad) external pure {
        assembly {
            if bad { revert(0, n) }
            return(0, n)
        }
    }
}
