"""Imported by every Python that starts with this folder on PYTHONPATH: lets the doctor in.

An own `sitecustomize` of the environment is run first, so that nothing is lost by our presence.
"""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _run_the_other_one():
    others = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _let_the_doctor_in():
    if importlib.util.find_spec("kuaibao") is None:
        # Another environment's Python: lend it this package, behind all of its own.
        sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(_HERE))))
    from kuaibao.doctor.agent import start

    start()


try:
    _run_the_other_one()
finally:
    if os.environ.get("KUAIBAO_DOCTOR"):
        try:
            _let_the_doctor_in()
        except Exception as error:
            sys.stderr.write(f"kuaibao doctor: could not look into this process: {error!r}\n")
