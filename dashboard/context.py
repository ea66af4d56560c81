"""What every page works with: settings, zone, service and lake, opened once per process and shared by all sessions."""

import os
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st
from msgspec import structs

from analytics.lake import Lake
from analytics.lake.scoped import opened, root_within
from dashboard.api import Api
from dashboard.login import Keeper
from stockverify import logs
from stockverify.environment import from_env
from stockverify.settings import Settings
from stockverify.zones import zone_of

_KEEPER = "keeper"


class House(NamedTuple):
    """The same for all who may see the same; whoever may see some floors only has a lake of their own, and so nothing
    that is read from it, kept under its folder, ever comes from another one."""

    settings: Settings
    zone: ZoneInfo
    api: Api
    lake: Lake

    @property
    def currency(self) -> str:
        """The ISO code of all amounts; empty when none is set."""
        return self.settings.currency


def open_house() -> House:
    """Raises BadSetting."""
    settings = _seen_by_reader(from_env(os.environ))
    _logging(settings.log_level)
    return House(settings, zone_of(settings.time_zone), _api(settings.service_url()), lake_at(settings.lake))


def keeper() -> Keeper:
    """The login of this browser session."""
    if _KEEPER not in st.session_state:
        st.session_state[_KEEPER] = Keeper()
    kept: Keeper = st.session_state[_KEEPER]
    return kept


def forget_others() -> None:
    """What this session remembers was read with the rights of one person; whoever else signs in here, and they
    themselves with other rights, begin with nothing (docs/decisions/0049)."""
    kept = keeper()
    if kept.login is not None and kept.rights != kept.remembered:
        forget()
        kept.remembered = kept.rights


def forget() -> None:
    """Begin anew with nothing but the login."""
    for name in list(st.session_state):
        if name != _KEEPER:
            del st.session_state[name]


@st.cache_resource(show_spinner=False)
def _logging(level: str) -> None:
    logs.configure(level)


@st.cache_resource(show_spinner=False, on_release=Api.close)
def _api(url: str) -> Api:
    return Api(url)


@st.cache_resource(show_spinner=False)
def lake_at(root: Path) -> Lake:
    """The lake at that folder, with what it has checked already."""
    return opened(root)


class _Scoped(Settings, frozen=True, kw_only=True):
    """Settings whose lake is that of some floors."""

    root: Path

    @property
    def lake(self) -> Path:
        """The folder of the scope."""
        return self.root


def _seen_by_reader(settings: Settings) -> Settings:
    """The same settings, with the lake that the person who is signed in may see."""
    login = keeper().login
    if login is None or not login.user.floors:
        return settings
    return _Scoped(**structs.asdict(settings), root=root_within(settings.lake, login.user.floors))
