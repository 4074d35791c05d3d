"""The demo's accounts as its sign-in page and its terminal publish them; they exist nowhere else."""

from typing import Final

PASSWORD: Final = "epicase-demo"  # noqa: S105  # meant to be known
ACCOUNTS: Final = {
    "investigator": "investigates cases in one district",
    "investigator2": "the same in another district",
    "supervisor": "gives access, approves exports",
    "supervisor2": "the second pair of eyes",
    "auditor": "reads and verifies the ledger",
    "privacy": "answers the rights of the people concerned",
    "secadmin": "manages accounts and roles",
    "sysadmin": "runs the system, sees no case",
    "partner": "sees no case, only the own log",
}
