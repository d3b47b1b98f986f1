"""What CloudFormation makes of a SAM template, with the parameters as they are given.

    translate.py TEMPLATE [NAME=VALUE ...]    print the processed template, as JSON
    translate.py TEMPLATE --versions          print, for each parameter, the versions of the functions
                                              that are made where it alone has another value

AWS's own translator does it. MiniStack calls it without parameters (1.5.33), and
so never has what only some values of them make.
"""

import json
import logging
import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """Our roles have none."""

    def load(self):
        return {}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml_parse(file.read())


def translate(template, parameters):
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/" + resource["Properties"]["CodeUri"]
    return transform(template, parameters, NoManagedPolicies())


def versions(path):
    found = {}
    for name, parameter in load(path)["Parameters"].items():
        other = next(value for value in parameter.get("AllowedValues", ["other"]) if value != parameter["Default"])
        resources = translate(load(path), {name: other})["Resources"]
        found[name] = [logical for logical, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"]
    return found


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # it has no file of feature toggles, and says so
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    if sys.argv[2:] == ["--versions"]:
        print(json.dumps(versions(sys.argv[1])))
    else:
        print(json.dumps(translate(load(sys.argv[1]), dict(pair.split("=", 1) for pair in sys.argv[2:])), indent=1))
