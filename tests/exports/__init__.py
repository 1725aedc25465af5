"""Tests of the readers."""

import pytest

pytest.register_assert_rewrite("tests.exports.bad")
