"""Every file of the corpus through the three channels of the running agent: real loop device, real watches, real sync."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.invented import LETTER, MEDICAL, UNDECIDABLE, documents
from tests.running import RunningAgent, loop_volume, wait_for
from tests.system.accounting import Books, collector_get

pytestmark = pytest.mark.system
MAX_AGENT_RSS = 120 << 20
KILLS = 200 if os.environ.get("SERMENT_LONG") else 20


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[RunningAgent, dict[str, Path]]]:
    """An agent, not started, and a folder for each channel; the removable one is a real volume."""
    tmp_path.chmod(0o755)
    with loop_volume(tmp_path, size_mib=256) as volume:
        places = {"removable": volume, "cloud_sync": tmp_path / "Nextcloud", "downloads": tmp_path / "Downloads"}
        for folder in list(places.values())[1:]:
            folder.mkdir()
        agent = RunningAgent(tmp_path, [volume], [places["cloud_sync"]], [places["downloads"]])
        try:
            yield agent, places
        finally:
            agent.kill()


def corpus_files(corpus: Path) -> list[tuple[str, bytes]]:
    """Names that keep only the extension's hint, and the bytes."""
    paths = sorted(path for path in corpus.rglob("*") if path.is_file())
    return [(f"{number:04d}{path.suffix}", path.read_bytes()) for number, path in enumerate(paths)]


def quarantined(agent: RunningAgent) -> set[str]:
    """SHA-256 of what is held."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in (agent.data / "quarantine").glob("*/content")}


def test_invented_documents_are_recognised_and_acted_on(guarded: tuple[RunningAgent, dict[str, Path]]) -> None:
    agent, places = guarded
    agent.start()
    books = Books(agent)
    for channel, folder in places.items():
        for name, content in documents().items():
            books.deliver(channel, content, folder / name)
    agent.settle(3 * len(documents()))
    decisions = books.check()
    assert books.lost() == []
    assert set(decisions) == {"observe", "inform", "encrypt", "block"}
    transfers, volumes = books.transfers(), books.volume_digests()
    for delivery in books.delivered:
        (record,) = transfers[books.digest(delivery, places, volumes[delivery.channel])]
        name = delivery.path.name
        expected = "medical" if name in MEDICAL else "undecidable" if name in UNDECIDABLE else "not_medical"
        assert record["judgement"] == expected, name
    books.check_rescan()


def test_a_file_rewritten_while_it_is_judged_ends_with_its_last_content_judged(
    guarded: tuple[RunningAgent, dict[str, Path]],
) -> None:
    agent, places = guarded
    agent.start()
    padding = b"\nCarottes, compote, fromage blanc." * 60_000  # long to read: writes fall into the reading
    for name in ("cloud_sync", "downloads"):
        (places[name] / "draft.txt").write_bytes(b"Menu" + padding)
    for number in range(20):
        for name in ("cloud_sync", "downloads"):
            with (places[name] / "draft.txt").open("r+b") as file:
                file.write(b"Menu %d" % number)
            time.sleep(0.02)
    last = f"{LETTER}\nDernière version.\n".encode()
    for name in ("cloud_sync", "downloads"):
        (places[name] / "draft.txt").write_bytes(last)
    held = hashlib.sha256(last).hexdigest()
    wait_for(lambda: held in quarantined(agent) and not (places["cloud_sync"] / "draft.txt").exists(), 60)
    books = Books(agent)
    books.note("downloads", places["downloads"] / "draft.txt")
    wait_for(lambda: books.transfers().get(books.digest(books.delivered[0], {}, books.volume_digests()["downloads"])))
    wait_for(agent.idle)
    books.check()
    assert len(agent.records("transfer")) < 20


@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_the_corpus_through_three_channels(guarded: tuple[RunningAgent, dict[str, Path]], corpus: Path) -> None:
    agent, places = guarded
    agent.start()
    assert agent.process is not None
    process, books = psutil.Process(agent.process.pid), Books(agent)
    for name, content in corpus_files(corpus):
        for channel, folder in places.items():
            books.deliver(channel, content, folder / name)
    agent.settle(len(books.delivered), 600)
    decisions = books.check()
    assert books.lost() == []
    books.check_rescan()
    assert decisions["observe"] > 0
    assert decisions["encrypt"] > 0
    assert decisions["block"] > 0
    assert agent.command("audit", "verify").returncode == 0
    assert process.memory_info().rss < MAX_AGENT_RSS
    assert agent.status()["counts"]["errors"] == 0
    records = len(agent.records())
    wait_for(lambda: agent.status()["audit"]["acknowledged"] >= records, 120)
    # polled: records go on being made and brought between the two questions
    wait_for(lambda: collector_get(agent, "/v1/laptops")["records"] == agent.status()["audit"]["acknowledged"], 120)


@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_twenty_kills_lose_nothing(guarded: tuple[RunningAgent, dict[str, Path]], corpus: Path) -> None:
    agent, places = guarded
    seed = 20261121
    chance = random.Random(seed)
    books, files = Books(agent), corpus_files(corpus)
    share = -(-len(files) // KILLS)
    agent.start()
    for round_number in range(KILLS):
        for name, content in files[round_number * share : (round_number + 1) * share]:
            for channel, folder in places.items():
                books.deliver(channel, content, folder / name)
        time.sleep(chance.uniform(0.0, 2.0))
        agent.kill()
        agent.start()
    agent.settle(len(books.delivered), 600)
    books.check()
    assert books.lost() == []
    assert agent.command("audit", "verify").returncode == 0
