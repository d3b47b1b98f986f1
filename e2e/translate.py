"""What CloudFormation makes of a SAM template, with the parameters as they are given.

    translate.py TEMPLATE [NAME=VALUE ...]    print the processed template, as JSON

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


def translate(path, parameters):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/" + resource["Properties"]["CodeUri"]
    return transform(template, parameters, NoManagedPolicies())


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # it has no file of feature toggles, and says so
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    print(json.dumps(translate(sys.argv[1], dict(pair.split("=", 1) for pair in sys.argv[2:])), indent=1))
