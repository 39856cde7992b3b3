"""The answers of a run: the few sentences that a person would quote, each with its figures and how sure they are."""

from loadtest.report.answers.answer import Answer
from loadtest.report.answers.answers import answers_of

__all__ = ["Answer", "answers_of"]
