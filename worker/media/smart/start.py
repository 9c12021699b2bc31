"""Starts ``child`` where nothing but the folder of this package can be read, so that the package is
not found by way of the folder that it lies in."""

import sys
import types
from pathlib import Path

package = types.ModuleType("worker")
package.__path__ = [str(Path(__file__).parents[2])]
sys.modules["worker"] = package

from worker.media.smart.child import main  # noqa: E402

main()
