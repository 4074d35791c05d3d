"""The key file: made well, refused when it is not, with one line that says what to do."""

import base64
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vault import index, providers
from vault.classes import DataClass
from vault.errors import KeyFileMissing, KeyFileTooOpen, ProviderError, WeakKeyFile, WrongRootKey
from vault.providers import FileProvider, KeyRef, provider_from_url

Content = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    FileProvider.create(tmp_path / "keyring.json")
    return tmp_path / "keyring.json"


def rewrite(path: Path, change: Callable[[Content], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def refused(path: Path, error: type[ProviderError], *words: str) -> None:
    with pytest.raises(error) as caught:
        FileProvider(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert all(word in text for word in words)


def test_a_new_key_file_is_private_and_holds_a_key_for_every_purpose(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())["keys"]) == {*map(str, DataClass), "index"}
    assert FileProvider(path).health().ok


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    with pytest.raises(FileExistsError):
        FileProvider.create(path)


def test_a_missing_file_is_named_and_not_replaced(tmp_path: Path) -> None:
    refused(tmp_path / "keyring.json", KeyFileMissing, "missing", "restore it from its backup")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_others_may_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    refused(path, KeyFileTooOpen, "chmod 600")


def test_a_file_of_another_owner_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    refused(path, KeyFileTooOpen, "chown")


def test_a_directory_is_no_key_file(tmp_path: Path) -> None:
    refused(tmp_path, KeyFileMissing)


def short(content: Content) -> None:
    content["keys"]["reach"]["versions"]["1"] = base64.b64encode(os.urandom(16)).decode()


def long(content: Content) -> None:
    content["keys"]["reach"]["versions"]["1"] = base64.b64encode(os.urandom(64)).decode()


def zeros(content: Content) -> None:
    content["keys"]["reach"]["versions"]["1"] = base64.b64encode(bytes(32)).decode()


def twice(content: Content) -> None:
    content["keys"]["reach"] = content["keys"]["identity"]


def no_class(content: Content) -> None:
    del content["keys"]["health"]


def no_current(content: Content) -> None:
    content["keys"]["health"]["current"] = 2


def other_format(content: Content) -> None:
    content["format"] = "epicase-keyring/2"


def not_base64(content: Content) -> None:
    content["keys"]["health"]["versions"]["1"] = "not a key"


@pytest.mark.parametrize(
    "change", [short, long, zeros, twice, no_class, no_current, other_format, not_base64]
)
def test_a_file_without_good_keys_is_refused(path: Path, change: Callable[[Content], None]) -> None:
    FileProvider(path)
    rewrite(path, change)
    refused(path, WeakKeyFile)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '"x"', "\xff"])
def test_a_file_of_something_else_is_refused(path: Path, text: str) -> None:
    path.write_text(text, encoding="latin-1")
    refused(path, WeakKeyFile)


@pytest.mark.parametrize(
    "spelt", [lambda k: k.decode("latin-1"), bytes.hex, lambda k: base64.b64encode(k).decode()]
)
def test_a_key_equal_to_the_secret_key_is_refused(
    path: Path, settings: Any, spelt: Callable[[bytes], str]
) -> None:
    key = bytes(range(65, 97))
    rewrite(path, lambda c: c["keys"]["reach"]["versions"].__setitem__("1", base64.b64encode(key).decode()))
    FileProvider(path)
    settings.SECRET_KEY = spelt(key)
    refused(path, WeakKeyFile, "EPICASE_SECRET_KEY")


def test_a_file_inside_the_source_is_refused_in_production_only(settings: Any) -> None:
    path = Path(providers.__file__).parent / "keyring-of-a-test.json"
    try:
        FileProvider.create(path)
        for name in ("DEBUG", "EPICASE_DEMO", "EPICASE_DEV", "EPICASE_TEST"):
            setattr(settings, name, False)
        refused(path, WeakKeyFile, "source")
        settings.EPICASE_DEMO = True
        FileProvider(path)
    finally:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("url", ["", "keyring.json", "file:", "vault:transit", "http://x"])
def test_an_unknown_provider_is_refused_with_the_known_ones(url: str) -> None:
    with pytest.raises(ProviderError, match="file:"):
        provider_from_url(url)


def test_no_setting_says_what_to_set(settings: Any) -> None:
    settings.EPICASE_KEYRING = ""
    with pytest.raises(KeyFileMissing, match="EPICASE_KEYRING"):
        providers.configured()


def test_wraps_open_under_their_own_key_and_data_only(path: Path) -> None:
    provider = FileProvider(path)
    ref = provider.current("identity")
    wrapped = provider.wrap(ref, [b"k" * 32, b"l" * 32], [b"one", b"two"])
    assert provider.unwrap(ref, wrapped, [b"one", b"two"]) == [b"k" * 32, b"l" * 32]
    for other, aads in ((ref, [b"two", b"one"]), (provider.current("reach"), [b"one", b"two"])):
        with pytest.raises(WrongRootKey, match="EPICASE_KEYRING"):
            provider.unwrap(other, wrapped, aads)
    with pytest.raises(WrongRootKey):
        provider.unwrap(KeyRef("identity", 7), wrapped, [b"one", b"two"])


def test_an_older_version_still_unwraps_after_a_new_one_became_current(path: Path) -> None:
    before = FileProvider(path)
    ref = before.current("health")
    wrapped = before.wrap(ref, [b"k" * 32], [b""])

    def add(content: Content) -> None:
        content["keys"]["health"]["versions"]["2"] = base64.b64encode(os.urandom(32)).decode()
        content["keys"]["health"]["current"] = 2

    rewrite(path, add)
    after = FileProvider(path)
    assert after.current("health").version == 2
    assert after.unwrap(ref, wrapped, [b""]) == [b"k" * 32]
    assert not before.health().ok


def test_a_provider_shows_no_key(path: Path) -> None:
    provider = FileProvider(path)
    keys = [entry["versions"]["1"] for entry in json.loads(path.read_text())["keys"].values()]
    assert not any(key in repr(provider) for key in keys)
    with pytest.raises(ProviderError):
        pickle.dumps(provider)
    with pytest.raises(ProviderError, match="by hand"):
        provider.destroy(provider.current("index"))


def test_tokens_are_equal_for_equal_values_of_one_label_and_installation(
    path: Path, tmp_path: Path, settings: Any
) -> None:
    settings.EPICASE_KEYRING = f"file:{path}"
    one = index.token("linelist", "A-1")
    assert len(one) == 16
    assert one == index.token("linelist", "A-1")
    assert index.tokens("linelist", ["A-1", "A-2"]) == [one, index.token("linelist", "A-2")]
    assert one != index.token("linelis", "tA-1")
    assert one != index.token("other", "A-1")
    FileProvider.create(tmp_path / "other.json")
    settings.EPICASE_KEYRING = f"file:{tmp_path / 'other.json'}"
    assert one != index.token("linelist", "A-1")
