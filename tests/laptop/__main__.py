"""A test laptop that stays on between the calls, from a shell: ``tests/laptop/laptop --help``."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from tests.laptop import FILE_SYSTEMS, Laptop, LaptopError, find_in_image, make_stick
from tests.laptop.places import USERS
from tests.laptop.product import installed_state


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="laptop", description="A virtual test laptop that stays on between the calls.")
    whole.add_argument("--image", default="bookworm")
    whole.add_argument(
        "--dir", default=os.environ.get("SERMENT_LAPTOP_DIR") or f"/tmp/laptop-{os.getuid()}",
        help="the run's folder (default $SERMENT_LAPTOP_DIR, or one per user in /tmp)",
    )  # fmt: skip
    actions = whole.add_subparsers(dest="action", required=True)

    def action(name: str, text: str, *positional: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text)
        for argument in positional:
            sub.add_argument(argument)
        return sub

    action("prepare", "make the image's ready state now, and the one with the product installed")
    up = action("up", "switch on")
    up.add_argument("--cold", action="store_true", help="boot instead of resuming the ready state")
    up.add_argument("--installed", action="store_true", help="resume the state with the product installed")
    up.add_argument("--state", help="resume a folder made by save")
    run = action("run", "run a shell line, with its output and exit status")
    run.add_argument("-u", "--user", default="root", choices=USERS)
    run.add_argument("-t", "--timeout", type=float, default=120)
    run.add_argument("command", nargs="+")
    action("put", "copy a file in", "source", "target")
    action("get", "copy a file out", "source", "target")
    stick = action("stick", "make a stick image", "path")
    stick.add_argument("--fs", default="vfat", choices=FILE_SYSTEMS)
    stick.add_argument("--table", default="mbr", choices=["mbr", "gpt", "none"])
    stick.add_argument("--mib", type=int, default=64)
    plug = action("plug", "plug a stick in; prints its id and device", "path")
    plug.add_argument("--readonly", action="store_true")
    plug.add_argument("--uas", action="store_true")
    action("unplug", "pull a stick out", "id")
    action("find", "look for a text in a stick image; fails if absent", "path", "text")
    action("save", "freeze into a new folder and go on", "folder")
    action("cut", "power cut")
    action("boot", "boot again on the same disk")
    action("reboot", "shut down and boot")
    action("console", "print the kernel's console")
    action("down", "power off hard and drop the disk")
    return whole


def without_machine(args: argparse.Namespace) -> int | None:
    """Actions on files alone; None for the others."""
    if args.action == "stick":
        print(make_stick(args.path, args.fs, args.mib, table=None if args.table == "none" else args.table))
        return 0
    if args.action == "find":
        offsets = find_in_image(args.path, args.text.encode())
        print(*offsets, sep="\n")
        return 0 if offsets else 1
    if args.action == "prepare":
        with contextlib.closing(Laptop(args.image)) as pc:
            print(pc.ready_state())
            print(installed_state(pc))
        return 0
    return None


def switch(args: argparse.Namespace, pc: Laptop) -> int | None:
    """Actions on the machine as a whole; None for those on what runs in it."""
    if args.action == "up":
        pc.state = installed_state(pc) if args.installed else pc.state
        pc.on()
    elif args.action == "boot":
        pc.boot()
    elif args.action == "console":
        sys.stdout.write((pc.dir / "console.log").read_text(errors="replace"))
    elif args.action == "down":
        pc.close()
        shutil.rmtree(pc.dir)
    else:
        return None
    return 0


def inside(args: argparse.Namespace, pc: Laptop) -> int:
    if not pc.alive():
        raise LaptopError("the laptop is off")
    if args.action == "cut":
        pc.cut()
        return 0
    pc.attach()
    for channel in pc.channels.values():
        channel.wait(time.monotonic() + 30)
    if args.action == "run":
        command = args.command[0] if len(args.command) == 1 else args.command
        result = pc.run(command, args.user, timeout=args.timeout)
        sys.stdout.write(result.stdout)
        sys.stderr.write(result.stderr)
        return result.rc if result.rc >= 0 else 128 - result.rc
    if args.action == "plug":
        stick = pc.plug(args.path, args.readonly, args.uas)
        print(stick.id, stick.image, stick.dev, *stick.parts)
    elif args.action == "unplug":
        pc.unplug(args.id)
    elif args.action in ("put", "get"):
        getattr(pc, args.action)(args.source, args.target)
    elif args.action == "save":
        pc.save(args.folder)
    elif args.action == "reboot":
        pc.reboot()
    return 0


def main() -> int:
    args = parser().parse_args()
    started = time.monotonic()
    done = without_machine(args)
    if done is None:
        state = getattr(args, "state", None)
        cold = getattr(args, "cold", False)
        pc = Laptop(args.image, directory=args.dir, cold=cold, state=Path(state) if state else None)
        done = switch(args, pc)
        done = inside(args, pc) if done is None else done
    if args.action in ("prepare", "up", "boot", "reboot", "save"):
        print(f"{args.action}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return done


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LaptopError, TimeoutError) as problem:
        sys.exit(f"laptop: {problem}")
