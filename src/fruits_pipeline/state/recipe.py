"""Everything that can change a feature: images of one recipe have equal features, wherever they are computed."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.state.fingerprint import Essentials, differences, digest_of


class Recipe(BaseModel):
    """How features are computed.

    Attributes:
        settings: Settings of the user: backbone, engine, precision, size, limits.
        made_by: What the settings do not say: tensors, the converted model, versions of the engine, of the decoding
            rules and of the libraries that decode.
    """

    model_config = ConfigDict(frozen=True)

    settings: Essentials
    made_by: Essentials

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, as hex."""
        return digest_of(self.model_dump(mode="json"))

    def changes(self, other: "Recipe") -> list[str]:
        """``key: own value -> other's value`` for everything in which ``other`` differs."""
        return differences(self.settings, other.settings) + differences(self.made_by, other.made_by)
