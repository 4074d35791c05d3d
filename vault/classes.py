"""The data classes: each has its own root key, and each is granted on its own."""

from enum import StrEnum


class DataClass(StrEnum):
    """What a sealed value tells about a person; `code` is the number written into ciphertexts and tables."""

    code: int

    IDENTITY = "identity"
    REACH = "reach"
    HEALTH = "health"
    TRAJECTORY = "trajectory"
    # Secrets of the system itself (second factors, drafts, export passphrases): no record's grant opens them.
    SYSTEM = "system"

    @classmethod
    def from_code(cls, code: int) -> "DataClass":
        return _CLASSES[code]


# Frozen: the codes are part of every associated data ever sealed.
_CODES = {
    DataClass.IDENTITY: 1,
    DataClass.REACH: 2,
    DataClass.HEALTH: 3,
    DataClass.TRAJECTORY: 4,
    DataClass.SYSTEM: 9,
}
_CLASSES = {code: data_class for data_class, code in _CODES.items()}
# A plain attribute, because it is read for every value opened.
for _code, _data_class in _CLASSES.items():
    _data_class.code = _code

# The four classes a case or contact has keys for, whether or not it has a field of each today.
RECORD_CLASSES = (DataClass.IDENTITY, DataClass.REACH, DataClass.HEALTH, DataClass.TRAJECTORY)
