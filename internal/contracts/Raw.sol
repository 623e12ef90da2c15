// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Raw answers every function with the bytes that it was told for it, or reverts
/// with them: a token of the worst kind.
contract Raw {
    struct Answer {
        bool bad;
        bytes data;
    }

    mapping(bytes4 => Answer) private answers;

    function tell(bytes4 selector, bool bad, bytes calldata data) external {
        answers[selector] = Answer(bad, data);
    }

    fallback() external {
        Answer storage a = answers[msg.sig];
        bytes memory data = a.data;
        if (a.bad) {
            assembly {
                revert(add(data, 32), mload(data))
            }
        }
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}
