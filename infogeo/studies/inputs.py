"""What is said of input that cannot be used; no more is loaded for it than the errors."""
from collections.abc import Iterable
from difflib import get_close_matches

from ..errors import InfogeoError

__all__ = ["InputError", "InputWarning", "suggestion"]


class InputError(InfogeoError, ValueError):
    """Input that cannot be a target; the message is one line that says what is wrong and where.

    Examples
    --------
    >>> try:
    ...     family = ig.studies.named_family("gama")
    ... except ig.studies.InputError as error:
    ...     print(error)
    unknown family 'gama'; did you mean Gamma?
    """


class InputWarning(UserWarning):
    """Input that can be used, and may be meant otherwise.

    Examples
    --------
    >>> import warnings
    >>> path = ig.studies.example_data("alpha_particles")     # has counts, too
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     target = ig.studies.from_samples(path, "particles", "poisson")
    >>> [issubclass(one.category, ig.studies.InputWarning) for one in caught]
    [True]
    """


def suggestion(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known, as the end of a sentence; nothing where none is near."""
    by_key = {key.lower().replace("_", ""): key for key in known}
    near = get_close_matches(name.lower().replace("_", ""), by_key, 1)
    return f"; did you mean {by_key[near[0]]}?" if near else ""
