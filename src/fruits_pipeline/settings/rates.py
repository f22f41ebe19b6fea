"""What a submitted job is billed by, as one flag of its own, which `submit` gives it."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_PAIRS = ":"


class Rates(BaseModel):
    """Prices of what a job asks for.

    Attributes:
        currency: Of all of them.
        hour: Of all that it rents, for an hour.
        start: Hours that a cluster is rented before the job begins; assumed.
        write: Of a thousand requests LIST, PUT and POST.
        read: Of a thousand requests GET and HEAD.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(pattern="^[A-Z]{3}$")
    hour: float = Field(ge=0)
    start: float = Field(ge=0)
    write: float = Field(ge=0)
    read: float = Field(ge=0)

    def __str__(self) -> str:
        """One word, without signs that a shell or a client of a cloud takes for its own.

        >>> str(Rates(currency="EUR", hour=0.95, start=0.1667, write=0.005, read=0.0004))
        'currency=EUR:hour=0.950000:start=0.166700:write=0.005000:read=0.000400'
        """
        numbers = self.model_dump(exclude={"currency"})
        return _PAIRS.join([f"currency={self.currency}", *(f"{name}={value:.6f}" for name, value in numbers.items())])


def rates_of(text: str) -> Rates:
    """What ``str`` made the text of.

    Raises:
        ValueError: When it is no such text.

    >>> rates_of("currency=EUR:hour=0.950000:start=0.166700:write=0.005000:read=0.000400").hour
    0.95
    """
    pairs = [pair.partition("=") for pair in text.split(_PAIRS)]
    try:
        return Rates.model_validate({name: value for name, _, value in pairs})
    except ValidationError:
        raise ValueError("expected currency=EUR:hour=0.95:start=0.1:write=0.005:read=0.0004") from None


def checked_rates(text: str) -> str:
    """The text, if it is that of rates.

    Raises:
        ValueError: When it is not.
    """
    rates_of(text)
    return text
