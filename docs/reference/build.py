"""What `make docs` runs: the reference of the public modules, in HTML, from their docstrings.

It takes the folder to write to. Docstrings are shown as they are: `module.html.jinja2` beside this file does that.
"""

import sys
from pathlib import Path

import pdoc

MODULES = ["catzip", "catzip.compressor.coding", "catzip.models.families.base"]
"""Those with a documented interface; the modules inside `catzip.compressor.coding` are shown as one."""


def main(target: Path) -> None:
    """Write the pages to the folder `target`."""
    pdoc.render.configure(template_directory=Path(__file__).parent, show_source=False)
    pdoc.pdoc(*MODULES, output_directory=target)
    print(f"{target / 'index.html'}: {', '.join(MODULES)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
