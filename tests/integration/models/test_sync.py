"""What servers say of their models: new, gone, about to end; kept between two lists, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from model_server import ModelServer, Reply, not_found, rate_limited, server_error, unauthorized
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.errors import ModelNotFound
from bot.models.catalogue import Catalogue, load_catalogue
from bot.models.endpoint_list import NoList, list_models
from bot.models.lifecycle import Lifecycle
from bot.models.registry import Models
from bot.models.sync import EndpointNews, News, sync

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = SecretStr("sk-house-secret-key")

CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "{url}"
api_key_env = "HOUSE_API_KEY"
keys_at = "https://house.example/keys"
[[providers]]
name = "other"
title = "Other"
base_url = "{other}"
[[models]]
name = "small"
id = "small-1"
provider = "house"
context_window = 8000
successor = "large"
[[models]]
name = "large"
provider = "house"
context_window = 8000
[[models]]
name = "elsewhere"
provider = "other"
context_window = 8000
"""


def catalogue_at(folder: Path, url: str, other: str = "http://127.0.0.1:9/v1") -> Catalogue:
    file = folder / "cards.toml"
    file.write_text(CARDS.format(url=url, other=other))
    return load_catalogue(file)


async def asked(catalogue: Catalogue, lifecycle: Lifecycle, now: datetime = NOW) -> tuple[News, EndpointNews]:
    """All the news, and those of the house."""
    endpoints = [one for one in catalogue.endpoints({"house": KEY}) if not one[0].discover]
    news = await sync(catalogue, endpoints, lifecycle, now)
    return news, next(one for one in news.endpoints if one.provider == "house")


async def test_new_gone_and_ending_models_are_told_against_the_last_list_and_the_cards(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    lifecycle = Lifecycle(engine)
    async with ModelServer(("small-1", "large", "extra"), api_key=KEY.get_secret_value()) as server:
        catalogue = catalogue_at(tmp_path, server.url)
        news, house = await asked(catalogue, lifecycle)
        assert (house.first, house.new, house.gone, house.listed) == (True, (), (), 3)
        assert (house.without_card, house.unlisted, house.matters) == (("extra",), (), False)
        assert news.shutdowns == ()
        server.models = ("small-1", "newest")
        server.about = {"small-1": {"shutdown_date": "2027-01-14"}, "newest": {"shutdown_date": "2026-12-01"}}
        news, house = await asked(catalogue, lifecycle, NOW + timedelta(days=1))
        assert (house.first, house.new, house.gone) == (False, ("newest",), ("extra", "large"))
        assert house.unlisted == ("large",)
        assert [(end.card, end.day, end.source) for end in news.shutdowns] == [
            ("large", date(2026, 11, 22), "list"),
            ("small", date(2027, 1, 14), "server"),
        ]
        assert news.shutdowns[1].sentence == "as House said on 2026-11-22"
        assert news.shutdowns[1].successor == "large"
        assert news.matters
        server.models, server.about = ("small-1", "newest", "large"), {}
        news, house = await asked(catalogue, lifecycle, NOW + timedelta(days=2))
        assert (house.new, house.gone, news.shutdowns) == (("large",), (), ())  # back, and the date was taken back


async def test_only_what_ends_within_ninety_days_and_can_be_used_is_told(engine: AsyncEngine, tmp_path: Path) -> None:
    async with ModelServer(("small-1", "large")) as server:
        server.about = {"small-1": {"shutdown_date": "2027-02-19"}, "large": {"shutdown_date": "2027-02-20"}}
        catalogue = catalogue_at(tmp_path, server.url)
        lifecycle = Lifecycle(engine)
        news, _ = await asked(catalogue, lifecycle)
        assert [end.card for end in news.shutdowns] == ["small"]
        ends = await lifecycle.shutdowns(catalogue)
        assert {"small", "large", "gpt-4.1-mini"} <= set(ends)  # asked for all, whatever the day
        assert (ends["gpt-4.1-mini"].source, ends["gpt-4.1-mini"].sentence) == ("card", "as its card states")


async def test_a_server_that_gives_no_list_is_a_sentence_and_keeps_its_last_one(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    lifecycle = Lifecycle(engine)
    async with ModelServer(("small-1", "large")) as server, ModelServer(("elsewhere",)) as second:
        catalogue = catalogue_at(tmp_path, server.url, second.url)
        await asked(catalogue, lifecycle)
        server.listing = server_error(503)
        news, house = await asked(catalogue, lifecycle)
        assert house.problem == "House answered with the status 503 instead of a list of models."
        assert (house.matters, news.matters, house.gone) == (True, True, ())
        assert next(one for one in news.endpoints if one.provider == "other").listed == 1
        server.listing = None
        _, house = await asked(catalogue, lifecycle)
        assert (house.first, house.new, house.gone) == (False, (), ())


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (unauthorized(), "House refuses the key in HOUSE_API_KEY. Keys are made at https://house.example/keys."),
        (not_found(), "has no list of models at"),
        (rate_limited(), "is asked too much just now"),
        (["gpt"], "with what is no list of models"),
        ({"data": "gpt"}, "with what is no list of models"),
    ],
)
async def test_each_fault_of_a_list_has_its_sentence(listing: Reply | object, said: str, tmp_path: Path) -> None:
    async with ModelServer() as server:
        server.listing = listing
        house, key = catalogue_at(tmp_path, server.url).endpoints({"house": KEY})[0]
        with pytest.raises(NoList) as caught:
            await list_models(house, key)
        assert said in str(caught.value)
        assert KEY.get_secret_value() not in str(caught.value)


async def test_what_is_no_model_or_no_date_in_a_list_is_left_out(engine: AsyncEngine, tmp_path: Path) -> None:
    async with ModelServer() as server:
        odd = [None, "x", {"id": 7}, {"id": ""}, {"id": "y" * 300}, {"id": "small-1", "shutdown_date": "2027-02-30"}]
        server.listing = {"data": [*odd, {"id": "small-1"}, {"id": "models/large", "shutdown_date": 20270101}]}
        catalogue, lifecycle = catalogue_at(tmp_path, server.url), Lifecycle(engine)
        _, house = await asked(catalogue, lifecycle)
        assert (house.listed, house.unlisted, house.problem) == (2, (), "")
        assert await lifecycle.told(catalogue) == {}


async def test_a_list_of_many_pages_is_read_to_its_end(tmp_path: Path) -> None:
    async with ModelServer(tuple(f"m{n}" for n in range(47))) as server:
        server.page = 20
        house, key = catalogue_at(tmp_path, server.url).endpoints({"house": KEY})[0]
        assert [one.id for one in await list_models(house, key)] == list(server.models)
        assert len(server.requests) == 3


async def test_a_local_server_that_was_never_there_is_not_missed_and_one_that_was_is(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    lifecycle = Lifecycle(engine)
    file = tmp_path / "own.toml"

    async def ollama(url: str) -> EndpointNews:
        file.write_text(f'[[providers]]\nname = "ollama"\nbase_url = "{url}"\n')
        catalogue = load_catalogue(file)
        news = await sync(catalogue, catalogue.endpoints({}), lifecycle, NOW)
        assert [one.provider for one in news.endpoints] == [
            "ollama"
        ]  # llama.cpp and vLLM are asked where they are used
        return news.endpoints[0]

    gone = "http://127.0.0.1:9/v1/"
    never = await ollama(gone)
    assert (never.problem, never.matters) == (f"Ollama does not answer at {gone}.", False)
    async with ModelServer(("llama3.3:70b",)) as server:
        there = await ollama(f"{server.url}/")
        assert (there.listed, there.without_card) == (1, ())
    assert (await ollama(gone)).matters


async def test_a_model_that_its_server_said_is_shut_down_is_not_offered_any_more(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async with ModelServer(("small-1", "large")) as server:
        server.about = {"small-1": {"shutdown_date": "2026-11-20T00:00:00Z"}, "large": {"shutdown_date": "2027-01-01"}}
        catalogue, lifecycle = catalogue_at(tmp_path, server.url), Lifecycle(engine)
        models = Models(catalogue, keys={"house": KEY}, embedder=WordsEmbedder(), today=NOW.date)
        assert models.model("small").card.shutdown is None
        await asked(catalogue, lifecycle)
        models.told_shutdowns(await lifecycle.told(models.catalogue))
        assert [card.name for card in models.usable() if card.provider == "house"] == ["large"]
        assert models.model("large").card.shutdown == date(2027, 1, 1)
        with pytest.raises(ModelNotFound, match=r"shut down on 20 November 2026. “large” is recommended instead"):
            models.model("small")
        server.about = {}  # taken back
        await asked(models.catalogue, lifecycle)
        models.told_shutdowns(await lifecycle.told(models.catalogue))
        assert models.model("small").card.shutdown is None
        await models.close()
