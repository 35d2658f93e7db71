"""`soundalike models check`: run a model on fixed inputs."""

from __future__ import annotations

import click

from soundalike.cli.common import device_option


@click.command(
    "check",
    short_help="Run a model on fixed inputs and print the result.",
    epilog="""\b
Examples:
  soundalike models check muq-mulan
  soundalike models check htdemucs --device cpu --format json""",
)
@click.argument("name", metavar="NAME")
@device_option
@click.option(
    "--precision",
    default="exact",
    show_default=True,
    metavar="NAME",
    help="Precision of neural models: exact, or fast (bfloat16).",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
def command(name: str, device: str, precision: str, form: str) -> None:
    """Load the model NAME, run it on a fixed tone, noise and text, and print the first values of the results.

    Add the output to a report about a model: it shows whether the model computes the same as on other machines.
    """
    import json

    from soundalike.config import Runtime, check_precision
    from soundalike.models.model_check import check_model

    facts = check_model(name, Runtime(device, check_precision(precision)))
    if form == "json":
        print(json.dumps(facts, indent=2))
        return
    packages = ", ".join(f"{package} {version}" for package, version in facts["packages"].items())
    print(f"{facts['model']} on {facts['device']}, {facts['precision']}; {facts['platform']}; {packages}")
    for kind in ("encoder", "separator"):
        if kind in facts:
            model = facts[kind]
            digest = f", checkpoint {model['digest']}" if model["digest"] else ""
            print(f"{kind}: version {model['version']}{digest}, loaded in {model['loading_seconds']} s")
            for result, values in model["results"].items():
                first = " ".join(f"{value:.6f}" for value in values["first_values"])
                print(f"  {result}: norm {values['norm']:.6f}, {values['seconds']} s, values {first}")
