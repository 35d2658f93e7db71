from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.errors import InputError
from soundalike.web.app import create_app
from soundalike.web.services import file_manager

TOKEN = "a-token-of-24-characters"
ODD = Path('/music/it\'s; rm -rf ~ $(x), "a" 100%.wav')
DESKTOP = {"DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"}


def test_a_path_is_one_argument_whatever_it_contains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_manager.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert file_manager.commands(ODD, "darwin", {}) == [["open", "-R", str(ODD)]]
    assert file_manager.commands(ODD, "win32", {}) == [["explorer", f"/select,{ODD}"]]
    bus, folder = file_manager.commands(ODD, "linux", DESKTOP)
    uri = bus[-2].removeprefix("array:string:")
    assert uri.startswith("file:///music/it%27s%3B%20rm")
    assert "," not in uri
    assert folder == ["xdg-open", "/music"]
    assert file_manager.commands(ODD, "linux", {}) == []


def test_the_second_command_is_tried_and_failure_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        assert options["shell"] is False
        tried.append(command[0])
        if command[0] == "dbus-send":
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, codes.pop())

    codes = [0]
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(file_manager.subprocess, "run", run)
    monkeypatch.setattr(file_manager.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(file_manager.os, "environ", DESKTOP)
    file_manager.reveal(ODD)
    assert tried == ["dbus-send", "xdg-open"]
    codes = [4]
    with pytest.raises(InputError, match="its file manager did not answer"):
        file_manager.reveal(ODD)


def test_files_are_shown_only_on_this_machine_and_only_those_of_the_library(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Path] = []
    monkeypatch.setattr("soundalike.web.services.file_manager.reveal", shown.append)
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        item = client.get("/api/items").json()["items"][0]
        assert client.post(f"/api/items/{item['id']}/reveal").status_code == 204
        assert shown == [Path(item["path"])]
        assert client.post("/api/items/nobody/reveal").status_code == 404
        assert (
            client.get(f"/api/items/{item['id']}/reveal").status_code == 404
        )  # an item of that name, which there is not
        assert len(shown) == 1
    open_ = create_app(library, host="0.0.0.0", token=TOKEN)
    with TestClient(open_, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        answer = client.post(f"/api/items/{item['id']}/reveal")
        assert answer.status_code == 403
        assert "only on the machine that serves it" in answer.json()["detail"]
        assert client.get("/api/library").json()["reveal"] is False
    assert len(shown) == 1


def test_a_machine_without_a_desktop_reports_it(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.web.services.file_manager.commands", lambda *_: [])
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        item = client.get("/api/items").json()["items"][0]
        answer = client.post(f"/api/items/{item['id']}/reveal")
        assert answer.status_code == 422
        assert "it has no desktop); copy its path" in answer.json()["detail"]
        assert client.get("/api/library").json()["reveal"] is False
