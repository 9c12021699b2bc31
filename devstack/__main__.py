"""`python -m devstack`: a stack in the foreground, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from devstack.stack import Stack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    parser.add_argument("--port", type=int, default=54321, help="default: %(default)s")
    parser.add_argument(
        "--dir", type=Path, default=Path(".devstack"), help="for its data, default: %(default)s"
    )
    parser.add_argument(
        "--project",
        type=Path,
        default=Path("supabase"),
        help="folder with config.toml and functions, default: %(default)s",
    )
    arguments = parser.parse_args()
    # SIGINT too: what a script starts in the background is born ignoring it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with Stack.start(
            directory=arguments.dir, port=arguments.port, project_dir=arguments.project
        ) as stack:
            sys.stdout.write(_status(stack))
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except (OSError, RuntimeError) as error:
        sys.exit(f"devstack: {error}")


def _status(stack: Stack) -> str:
    rows = {
        "API URL": stack.url,
        "DB URL": stack.database_url,
        "Publishable key": stack.publishable_key,
        "Secret key": stack.secret_key,
        "anon key": stack.anon_key,
        "service_role key": stack.service_role_key,
        "JWT secret": stack.jwt_secret,
    }
    return "".join(f"{name:>16}: {value}\n" for name, value in rows.items())


if __name__ == "__main__":
    main()
