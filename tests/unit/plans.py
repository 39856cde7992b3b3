"""Plans for tests: of the reference app."""

from functools import partial

from loadtest.bench.choices import choices_of
from loadtest.bench.profiles import make_plan as make_any_plan
from loadtest.targets.reference import ReferenceApp

CHOICES = choices_of(ReferenceApp().offer)

make_plan = partial(make_any_plan, choices=CHOICES)
