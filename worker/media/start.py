"""Starts a module where nothing but the folder of this package can be read, so that the package is
not found by way of the folder that it lies in.

    python -I -S start.py <module> <step>
"""

import sys
import types
from importlib import import_module
from pathlib import Path

package = types.ModuleType("worker")
package.__path__ = [str(Path(__file__).parents[1])]
sys.modules["worker"] = package

import_module(sys.argv[1]).main()
