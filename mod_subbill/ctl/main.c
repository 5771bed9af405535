/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* subbillctl: the operator's side of mod_subbill. One table lists the commands; everything the help
 * prints comes from it. */
#include "base/log.h"
#include "base/version.h"
#include "ctl/output.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

enum { GROUP_AND_VERB = 2 };

typedef struct command_t {
    const char *group;
    const char *verb;      /* or NULL */
    const char *arguments; /* as help writes them */
    int least, most;       /* how many words behind the command */
    unsigned options;      /* besides SB_OPTIONS_COMMON */
    sb_command_fn run;
    const char *summary;
    const char *details; /* the help of its options */
} command_t;

static const command_t commands[] = {
    {"migrate", NULL, "", 0, 0,
     SB_OPTION_CHECK | SB_OPTION_DRY_RUN | SB_OPTION_DATABASE | SB_OPTION_OWNER,
     sb_command_migrate, "bring the database to the schema of this version",
     "  --check                only look; status 1 when a migration is due\n"
     "  -n, --dry-run          say what would be done\n"
     "  --database DRIVER PARAMETERS\n"
     "                         instead of SubbillDatabase: sqlite3 /path/to/file, or "
     "pgsql\n"
     "                         or mysql with file:, env: or exec: where a password is in "
     "it\n"
     "  --owner USER           with --database sqlite3: who gets the file (httpd's "
     "User)\n"},
    {"catalog", "check", "[FILE]", 0, 1, 0, sb_command_catalog_check,
     "check a catalogue, SubbillCatalog or FILE, and list its plans", ""},
    {"user", "show", "USER", 1, 1, SB_OPTION_GRACE, sb_command_user_show,
     "what a user has bought, which gates open and why",
     "  --grace DAYS           decide with this SubbillGrace (default 0)\n"},
    {"events", "list", "", 0, 0, SB_OPTION_STATE | SB_OPTION_LIMIT,
     sb_command_events_list, "the latest events, newest first",
     "  --state STATE          only received, done, failed or ignored ones\n"
     "  --limit N              at most N of them, 1 to 1000 (default 20)\n"},
    {"events", "show", "ID", 1, 1, 0, sb_command_events_show, "one event with its body",
     ""},
    {"events", "replay", "ID", 1, 1, SB_OPTION_DRY_RUN, sb_command_events_replay,
     "apply an event that failed, or was not finished, once more",
     "  -n, --dry-run          say whether there is anything to do\n"},
    {"events", "rebuild", "", 0, 0, SB_OPTION_DRY_RUN, sb_command_events_rebuild,
     "make customers, subscriptions, invoices, trials and purchases again from the "
     "stored events",
     "  -n, --dry-run          say what would be applied, and what the tables hold\n"},
    {"jobs", "list", "", 0, 0, SB_OPTION_LIMIT, sb_command_jobs_list,
     "what is to be done in the background, and what was given up and why",
     "  --limit N              at most N of them, 1 to 1000 (default 20)\n"},
    {"work", NULL, "", 0, 0, SB_OPTION_ONCE | SB_OPTION_LIMIT | SB_OPTION_DRY_RUN,
     sb_command_work, "do what is due in the background and end",
     "  --once                 needed: it says that this is no daemon; for cron, where\n"
     "                         httpd does not do it (SubbillWorker Off)\n"
     "  --limit N              at most N steps, 1 to 1000 (default: until nothing is "
     "due)\n"
     "  -n, --dry-run          say what is due\n"},
    {"links", "set", "USER CUSTOMER", 2, 2,
     SB_OPTION_FORCE | SB_OPTION_OFFLINE | SB_OPTION_DRY_RUN, sb_command_links_set,
     "tie a Stripe customer (cus_…) to a user",
     "  --force                also when it takes the customer from another user, or "
     "the\n"
     "                         user's present customer away\n"
     "  --offline              do not ask Stripe whether the customer exists\n"
     "  -n, --dry-run          say what would be done\n"},
    {"trials", "mark", "USER", 1, 1, SB_OPTION_DRY_RUN, sb_command_trials_mark,
     "note that a user has had the trial",
     "  -n, --dry-run          say what would be done\n"},
    {"purchases", "give", "USER SKU", 2, 2, SB_OPTION_DRY_RUN, sb_command_purchases_give,
     "make a user the owner of what was bought or given elsewhere",
     "  -n, --dry-run          say what would be done\n"},
    {"purchases", "take", "USER SKU", 2, 2, SB_OPTION_DRY_RUN, sb_command_purchases_take,
     "take back what a user owns", "  -n, --dry-run          say what would be done\n"},
    {"credit", "set", "USER METER UNITS", 3, 3, SB_OPTION_DRY_RUN, sb_command_credit_set,
     "say how many units of a meter a user has left",
     "  -n, --dry-run          say what would be done\n"},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const char common_help[] =
    "  --json                 print one JSON document\n"
    "  --server NAME          which virtual host (ServerName), \"main\" for the main "
    "server\n"
    "  --httpd \"COMMAND\"      what to ask for the configuration instead of apachectl;\n"
    "                         also $SUBBILL_HTTPD\n"
    "  --config FILE          read the settings from FILE, written by\n"
    "                         apachectl -t -D DUMP_SUBBILL >FILE\n"
    "  -v, --verbose          tell on standard error what is logged\n"
    "  -h, --help             this text; behind a command, that command's\n"
    "  -V, --version\n"
    "  --                     everything behind it is no option\n";

static const char status_help[] =
    "Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 configuration, 4 database,\n"
    "5 Stripe.\n";

static const char *name_of(const command_t *command, apr_pool_t *pool)
{
    return command->verb ? apr_pstrcat(pool, command->group, " ", command->verb, NULL)
                         : command->group;
}

static void print_help(apr_pool_t *pool)
{
    puts("subbillctl: commands for sites with mod_subbill\n\n"
         "usage: subbillctl [OPTIONS] COMMAND\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-32s %s\n",
               apr_pstrcat(pool, name_of(&commands[i], pool), " ", commands[i].arguments,
                           NULL),
               commands[i].summary);
    }
    printf("\n%s\n%s", common_help, status_help);
}

static void print_command_help(const command_t *command, apr_pool_t *pool)
{
    printf("usage: subbillctl %s%s%s [OPTIONS]\n\n%s\n\n%s%s\n%s", name_of(command, pool),
           *command->arguments ? " " : "", command->arguments, command->summary,
           command->details, common_help, status_help);
}

/* How many of words name the command; 0 when they do not. */
static int match(const command_t *command, const char *const words[], int n)
{
    if (n < 1 || strcmp(words[0], command->group) != 0) {
        return 0;
    }
    if (!command->verb) {
        return 1;
    }
    return n > 1 && strcmp(words[1], command->verb) == 0 ? GROUP_AND_VERB : 0;
}

static const char *verbs_of(const char *group, apr_pool_t *pool)
{
    const char *verbs = NULL;

    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].group, group) == 0 && commands[i].verb) {
            verbs = verbs ? apr_pstrcat(pool, verbs, ", ", commands[i].verb, NULL)
                          : commands[i].verb;
        }
    }
    return verbs;
}

static sb_exit_e unknown_command(const sb_ctl_t *ctl, const char *const words[], int n)
{
    const char *verbs = n ? verbs_of(words[0], ctl->pool) : NULL;

    if (!n) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage", "subbillctl --help lists them.",
                       "A command is needed.");
    }
    if (verbs) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage",
                       apr_psprintf(ctl->pool, "There is: %s.", verbs),
                       n > 1 ? "There is no command \"%s %s\"."
                             : "The command \"%s\" needs one word more.",
                       words[0], n > 1 ? words[1] : "");
    }
    return sb_fail(ctl, SB_EXIT_USAGE, "usage", "subbillctl --help lists them.",
                   "There is no command \"%s\".", words[0]);
}

static sb_exit_e dispatch(sb_ctl_t *ctl)
{
    const char *const *words = (const char *const *)ctl->options.words->elts;
    int n = ctl->options.words->nelts, used = 0;
    const command_t *command = NULL;

    for (size_t i = 0; i < COMMANDS && !used; i++) {
        used = match(&commands[i], words, n);
        command = &commands[i];
    }
    if (sb_ctl_given(ctl, SB_OPTION_VERSION)) {
        puts("subbillctl " SB_VERSION);
        return SB_EXIT_OK;
    }
    if (!used && sb_ctl_given(ctl, SB_OPTION_HELP)) {
        print_help(ctl->pool);
        return SB_EXIT_OK;
    }
    if (!used) {
        return unknown_command(ctl, words, n);
    }
    if (sb_ctl_given(ctl, SB_OPTION_HELP)) {
        print_command_help(command, ctl->pool);
        return SB_EXIT_OK;
    }
    const char *foreign =
        sb_options_foreign(&ctl->options, command->options | SB_OPTIONS_COMMON);
    const char *help =
        apr_psprintf(ctl->pool, "subbillctl %s --help tells what it takes.",
                     name_of(command, ctl->pool));
    if (foreign) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage", help, "\"%s\" has no option --%s.",
                       name_of(command, ctl->pool), foreign);
    }
    ctl->words = words + used;
    ctl->words_n = n - used;
    if (ctl->words_n < command->least || ctl->words_n > command->most) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage", help, "\"%s\" takes %s.",
                       name_of(command, ctl->pool),
                       *command->arguments ? command->arguments : "no further word");
    }
    return command->run(ctl);
}

/* What the core logs is for a log; here the result says it again, in a sentence. */
static void print_log(void *baton, sb_log_level_e level, apr_status_t rv,
                      const char *line)
{
    char reason[200];

    fprintf(stderr, "%s%s%s\n", line, rv ? ": " : "",
            rv ? apr_strerror(rv, reason, sizeof(reason)) : "");
}

static sb_exit_e run(int argc, const char *const argv[], apr_pool_t *pool)
{
    sb_ctl_t ctl = {.pool = pool};
    const char *error = sb_options_parse(&ctl.options, argc, argv, pool);

    if (error) {
        return sb_fail(&ctl, SB_EXIT_USAGE, "usage", "subbillctl --help lists them.",
                       "%s", error);
    }
    sb_log_sink_set(sb_ctl_given(&ctl, SB_OPTION_VERBOSE) ? print_log : NULL, NULL);
    sb_exit_e status = dispatch(&ctl);
    if (!sb_print_end()) {
        fputs("subbillctl: standard output took not all of the answer.\n", stderr);
        return status == SB_EXIT_OK ? SB_EXIT_FAILED : status;
    }
    return status;
}

int main(int argc, const char *const *argv, const char *const *environment)
{
    apr_pool_t *pool;

    if (apr_app_initialize(&argc, &argv, &environment) != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fputs("subbillctl: out of memory\n", stderr);
        return SB_EXIT_FAILED;
    }
    sb_exit_e status = run(argc, argv, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return (int)status;
}
