"""Leaves cert-manager's module without its Venafi issuer, whose library cannot be had; go.mod leads there then.

build.py runs it in a copy of this folder, with the Go command.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

GO = sys.argv[1]
VERSION = "github.com/cert-manager/cert-manager@v1.21.1"
SUM = "h1:0LttV37Q5c2CBNoHkjuI8sLKTXWZDC2SwQkxrBMKV9w="  # as in a go.sum
LIBRARY = "github.com/Venafi/vcert/v5"
TESTS = shutil.ignore_patterns("*_test.go")  # which need more modules
# The issuer's two controllers, whose names stay, as the defaults of the configuration list them.
NAMES = {"certificaterequests": "CRControllerName", "certificatesigningrequests": "CSRControllerName"}


def main() -> None:
    """Raises CalledProcessError, and AssertionError where the module is not the one that was pinned."""
    call = [GO, "mod", "download", "-json", VERSION]
    found = json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert found["Sum"] == SUM, f"{VERSION} is another one: {found['Sum']}"
    copy = Path("module")
    for part in ("internal", "pkg", "test", "third_party"):
        # The files of the module cache are read-only, and so would be their copies.
        shutil.copytree(Path(found["Dir"], part), copy / part, ignore=TESTS, copy_function=shutil.copyfile)
    for folder in [copy, *copy.rglob("*/")]:
        folder.chmod(0o755)
    shutil.copyfile(Path(found["Dir"], "go.mod"), copy / "go.mod")
    shutil.rmtree(copy / "pkg/issuer/venafi")
    for kind, name in NAMES.items():
        folder = copy / "pkg" / "controller" / kind / "venafi"
        shutil.rmtree(folder)
        folder.mkdir()
        text = f'package venafi\n\nconst {name} = "{kind}-issuer-venafi"\n'
        (folder / "name.go").write_text(text, encoding="utf-8")
    subprocess.run([GO, "mod", "edit", f"-droprequire={LIBRARY}", str(copy / "go.mod")], check=True)
    subprocess.run([GO, "mod", "edit", f"-replace={VERSION.partition('@')[0]}=./{copy}"], check=True)


main()
