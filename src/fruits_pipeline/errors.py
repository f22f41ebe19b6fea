"""Every error that is raised on purpose, one class for each exit code.

A message says what was expected, what was found, where, and what to do. ``cli`` is the only handler.
"""

import re
import signal
from typing import ClassVar


class FruitsError(Exception):
    """A fault that was foreseen; never raised itself, only by its subclasses."""

    exit_code: ClassVar[int] = 70


class SettingsError(FruitsError):
    """When a flag, an environment variable, a settings file or the machine's set-up is wrong."""

    exit_code = 2


class InputError(FruitsError):
    """When nothing is found, the source cannot be read, or too many images are rejected."""

    exit_code = 3


class ModelError(FruitsError):
    """When weights are missing, damaged or of another backbone, or an engine or an app's model fails what was asked."""

    exit_code = 4


class DatasetError(FruitsError):
    """When a dataset is not what it should be, or was made with other settings."""

    exit_code = 5


class SubmissionError(FruitsError):
    """When a bundle is missing, or a cloud refuses what is asked of it."""

    exit_code = 6

    def __init__(self, message: str = "", *, code: str = "", operation: str = "") -> None:
        """``code`` is the cloud's own name of a refusal, ``operation`` that of the call which it refused."""
        super().__init__(message)
        self.code = code
        self.operation = operation


class StorageError(FruitsError):
    """When storage or the cluster failed, or a right is missing on a bucket: the same command resumes."""

    exit_code = 7

    def __init__(self, message: str = "", *, is_denied: bool = False, lacks: str = "") -> None:
        """``is_denied`` says that storage answered, and that these credentials may not do this.

        ``lacks`` is the right that a bucket's server then misses, such as ``s3:GetObject on arn:aws:s3:::data/x``.
        """
        super().__init__(message)
        self.is_denied = is_denied
        self.lacks = lacks


class JobError(FruitsError):
    """When a submitted job ended badly; it carries that job's own exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        """``exit_code`` is the job's, of those that are documented."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # because only here the code is no class's


class Interrupted(SystemExit):
    """When SIGINT (Ctrl-C) or SIGTERM ends the command: the same command resumes.

    A ``SystemExit``, because threads end by it without a trace and nothing but a broad handler catches it.
    """

    def __init__(self, number: int) -> None:
        """``number`` is the signal's; the exit code is the one that shells give for it."""
        self.number = number
        self.exit_code = 128 + number
        super().__init__(self.exit_code)

    def __str__(self) -> str:
        """The signal's name, for ``run.json``."""
        return f"by {signal.Signals(self.number).name}"


SUCCESS = 0
BUG = 70
# Lines of a Java error that name it and its causes, as py4j has them in its message.
_CAUSE = re.compile(r"^(?:Caused by)?: (\S.*)$", re.MULTILINE)
INTERRUPTED = 130
TERMINATED = 143


def exit_code(error: BaseException | None) -> int:
    """The documented exit code of whatever ended a command.

    An interruption counts also where a later error took its place while the command unwound. Spark's own failures are
    the cluster's (7), unless our code failed inside a worker (70).
    """
    if error is None:
        return SUCCESS
    interrupted = _code_of_interruption(error)
    if interrupted is not None:
        return interrupted
    if isinstance(error, FruitsError):
        return error.exit_code
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    failed = isinstance(error, OSError) or kinds & {"pyspark.PySparkException", "py4j.Py4JError"}
    return StorageError.exit_code if failed and "pyspark.PythonException" not in kinds else BUG


def root_cause(error: BaseException) -> str:
    r"""The innermost cause that an error's text names, in one line: what Java has as the last ``Caused by``.

    >>> root_cause(ValueError("while calling o9.parquet.\n: Job aborted\n\tat x\nCaused by: java.io.IOException: full"))
    'java.io.IOException: full'
    """
    text = str(error).strip()
    causes: list[str] = _CAUSE.findall(text)
    return causes[-1] if causes else text.partition("\n")[0] or type(error).__name__


def _code_of_interruption(error: BaseException | None) -> int | None:
    """The exit code of the interruption that is ``error``, or that was being handled when ``error`` was raised."""
    while error is not None:
        match error:
            case KeyboardInterrupt():
                return INTERRUPTED
            case SystemExit(code=int() as code):
                return code
        error = error.__context__
    return None
