# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Which databases a test runs on.

    full tier   every test that has a site runs on SQLite, PostgreSQL and MariaDB
    CI tier     SQLite, and all three where a module says DATABASES = databases.ALL: what stores and
                decides (webhook, stories with their gates, worker, shuffles)

The full tier runs the other MPMs as the CI tier does (harness/scratch.py).

ONE names what runs on SQLite only, whatever the tier, and why. A test with one of the fixtures in CHOOSES
chooses its databases itself. SB_DATABASES narrows any run.
"""
from . import databases, scratch

CHOOSES = {"dialect", "working", "far", "talked", "limited", "deaf", "server", "cut_off"}

_NO_DATABASE = "nothing in it depends on a database"
_FILE = "about SQLite's file"
_STRIPE = "about a Stripe that does not answer, and long"
ONE = {
    "test_harness": "tries the harness with stock modules; there is no database",
    "test_configuration": "what is said before any database is asked",
    "test_slow_stripe": _NO_DATABASE,
    "test_gate_caches": _NO_DATABASE,
    "test_ctl::test_migrate_makes_gives_and_tells": _FILE,
    "test_ctl::test_no_command_leaves_a_file_that_only_root_may_touch": _FILE,
    "test_ctl::test_root_follows_no_link_that_the_web_server_may_have_laid": _FILE,
    "test_ctl::test_no_stored_text_can_move_a_terminal": "stores bytes that only SQLite takes",
    "test_ctl::test_no_secret_in_output_or_argument_lists": "names databases of every kind itself",
    "test_faults::test_a_locked_sqlite_file_stops_writers_only": _FILE,
    "test_faults::test_a_full_disk_is_503_and_heals": _FILE,
    "test_faults::test_a_replaced_sqlite_file_is_noticed": _FILE,
    "test_faults::test_a_lost_permission_is_503_and_heals": _FILE,
    "test_faults::test_a_corrupt_sqlite_file_closes_the_gate_and_crashes_nothing": _FILE,
    "test_faults::test_stripe_down_does_not_touch_the_gate_and_opens_the_circuit": _STRIPE,
    "test_faults::test_a_blackholed_stripe_is_given_up_in_time": _STRIPE,
    "test_routes_limits::test_a_flood_of_checkouts_makes_few_sessions":
        "waits a minute for budgets that are kept in memory",
    "test_gate::test_a_warm_gate_asks_the_database_nothing": _FILE,
    "test_gate_policy::test_what_the_gates_decide_is_counted": _FILE,
    "test_gate_policy::test_stale_lets_those_in_who_are_known_and_says_so": _FILE,
    "test_gate_policy::test_strangers_push_no_payer_out_of_a_full_cache": _FILE,
    "test_revoke::test_a_database_that_is_away_cuts_nobody_off": _FILE,
    "test_strain::test_two_hundred_events_a_second_are_acknowledged_in_time": "on PostgreSQL by itself",
    "test_worker::test_the_worker_is_quiet_while_the_database_is_away": _FILE,
    "test_stripe_unwell::test_a_thousand_jobs_outlive_every_ill_of_stripes_and_are_done_once":
        "tries all of them at once by itself",
    "test_missed::test_a_restored_backup_ends_in_stripes_state": _FILE,
}


def dialects(metafunc):
    """The dialects for one test function, SQLite first."""
    module = metafunc.module.__name__.split(".")[-1]
    name = f"{module}::{metafunc.function.__name__}"
    everywhere = scratch.TIER == "full" or \
        getattr(metafunc.module, "DATABASES", None) == databases.ALL
    wanted = databases.ALL if everywhere and module not in ONE and name not in ONE \
        else ("sqlite3",)
    return [each for each in wanted if each in databases.chosen()]


def parametrize(metafunc):
    """`database` is that of the module's shared site, `home` the one make_site uses by default."""
    names = set(metafunc.fixturenames)
    if "database" in names:
        metafunc.parametrize("database", dialects(metafunc), scope="module")
    elif "home" in names and not names & CHOOSES:
        metafunc.parametrize("home", dialects(metafunc), indirect=True)
