"""The ``--config`` option that every command which speaks to an agent takes, and the client it leads to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from agent.config import AgentConfig, load_config
from agent.daemon.control import ControlClient
from agent.errors import N_


def add_config(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help=translate(N_("the agent's agent.toml")))


def configuration(args: argparse.Namespace) -> AgentConfig:
    return load_config(args.config)


def client(args: argparse.Namespace) -> ControlClient:
    return ControlClient(configuration(args).control_socket)
