"""Spark Connect, on which none of this runs."""

from pyspark.sql.utils import is_remote

from fruits_pipeline.errors import SettingsError


def refuse_connect() -> None:
    """Refuses a process whose Spark sessions are those of Spark Connect, which has no broadcasts and no Java objects.

    Raises:
        SettingsError: Then.
    """
    if is_remote():
        raise SettingsError(
            "expected a classic Spark session, found one of Spark Connect; start the session in this process, or "
            "submit the job by spark-submit"
        )
