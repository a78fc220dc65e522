"""Every error a person can meet, and the one table that gives its exit code and HTTP status.

    CointrailError                1  500   a fault of ours
    ├── UsageError                2  422   an option or argument that makes no sense
    ├── NotFound                  3  404   well-formed, but not in this snapshot
    │   └── SnapshotGone          3  404   the chain was reorganised below the snapshot
    ├── InputRefused              4  400   checksum, network, malformed file
    │   ├── EncodingError         4  400   bytes that are not a block or transaction
    │   ├── AddressError          4  400   text that is not an address of this network
    │   └── BlockRefused          4  400   a block that breaks a rule, by name
    ├── CheckFailed               5  409   verify found damage
    ├── Unavailable               6  503   source missing, lock held, disk full, other format
    ├── Incomplete                7  200   a limit was hit and completeness was required
    └── Interrupted             130    -   stopped by the user; state is saved

Messages are lower case, carry the offending input and say what to do.
"""


class CointrailError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        code: stable name of the error, for programs.
        exit_code: exit status of the command line.
        http_status: status of the REST API.
        hint: what the reader can do about it, or an empty string.
    """

    code = "fault"
    exit_code = 1
    http_status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CointrailError):
    """An option or argument that makes no sense."""

    code, exit_code, http_status = "usage", 2, 422


class NotFound(CointrailError):
    """Well-formed, but unknown to this snapshot."""

    code, exit_code, http_status = "not_found", 3, 404


class SnapshotGone(NotFound):
    """The chain was reorganised below the snapshot this reader was opened at."""

    code = "snapshot_gone"


class InputRefused(CointrailError):
    """Input that cannot be what it claims to be."""

    code, exit_code, http_status = "input_refused", 4, 400


class EncodingError(InputRefused):
    """Bytes that are not the block, transaction or header they should be.

    Attributes:
        offset: position of the first byte that could not be read.
    """

    code = "encoding"

    def __init__(self, message: str, *, offset: int = 0, hint: str = "") -> None:
        super().__init__(f"{message} (at byte {offset})", hint=hint)
        self.offset = offset


class AddressError(InputRefused):
    """Text that is not an address of the expected network; the message says why."""

    code = "address"


class BlockRefused(InputRefused):
    """A block that breaks a rule of the chain; the message names the block and the rule."""

    code = "block_refused"


class CheckFailed(CointrailError):
    """A check was made and did not pass."""

    code, exit_code, http_status = "check_failed", 5, 409


class Unavailable(CointrailError):
    """Something needed is not there now: a file, a lock, space, a format."""

    code, exit_code, http_status = "unavailable", 6, 503


class Incomplete(CointrailError):
    """A limit was hit although a complete answer was required."""

    code, exit_code, http_status = "incomplete", 7, 200


class Interrupted(CointrailError):
    """Stopped by the user; what was published stays."""

    code, exit_code, http_status = "interrupted", 130, 503
