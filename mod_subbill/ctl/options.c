/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/options.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000, GRACE_MAX = 365 };

typedef enum { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_TWO } value_e;

typedef struct option_t {
    const char *name;
    char letter; /* or 0 */
    value_e value;
    sb_option_e bit;
    size_t offset; /* of the member; of the first of two */
    int least, most;
} option_t;

#define MEMBER(name) offsetof(sb_options_t, name)

static const option_t table[] = {
    {"help", 'h', VALUE_NONE, SB_OPTION_HELP, 0, 0, 0},
    {"version", 'V', VALUE_NONE, SB_OPTION_VERSION, 0, 0, 0},
    {"json", 0, VALUE_NONE, SB_OPTION_JSON, 0, 0, 0},
    {"verbose", 'v', VALUE_NONE, SB_OPTION_VERBOSE, 0, 0, 0},
    {"config", 0, VALUE_TEXT, SB_OPTION_CONFIG, MEMBER(config), 0, 0},
    {"httpd", 0, VALUE_TEXT, SB_OPTION_HTTPD, MEMBER(httpd), 0, 0},
    {"server", 0, VALUE_TEXT, SB_OPTION_SERVER, MEMBER(server), 0, 0},
    {"check", 0, VALUE_NONE, SB_OPTION_CHECK, 0, 0, 0},
    {"dry-run", 'n', VALUE_NONE, SB_OPTION_DRY_RUN, 0, 0, 0},
    {"database", 0, VALUE_TWO, SB_OPTION_DATABASE, MEMBER(database_driver), 0, 0},
    {"owner", 0, VALUE_TEXT, SB_OPTION_OWNER, MEMBER(owner), 0, 0},
    {"grace", 0, VALUE_NUMBER, SB_OPTION_GRACE, MEMBER(grace), 0, GRACE_MAX},
    {"state", 0, VALUE_TEXT, SB_OPTION_STATE, MEMBER(state), 0, 0},
    {"limit", 0, VALUE_NUMBER, SB_OPTION_LIMIT, MEMBER(limit), 1, LIMIT_MAX},
    {"force", 0, VALUE_NONE, SB_OPTION_FORCE, 0, 0, 0},
    {"once", 0, VALUE_NONE, SB_OPTION_ONCE, 0, 0, 0},
    {"offline", 0, VALUE_NONE, SB_OPTION_OFFLINE, 0, 0, 0},
};

#define OPTIONS (sizeof(table) / sizeof(*table))

static const option_t *find_name(const char *name, size_t length)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(table[i].name) == length &&
            strncmp(table[i].name, name, length) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static const option_t *find_letter(char letter)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (table[i].letter && table[i].letter == letter) {
            return &table[i];
        }
    }
    return NULL;
}

static const char *set_number(int *member, const option_t *option, const char *value,
                              apr_pool_t *pool)
{
    char *end;
    apr_int64_t number = apr_strtoi64(value, &end, 10);

    if (!apr_isdigit(*value) || *end || number < option->least || number > option->most) {
        return apr_psprintf(pool, "--%s takes a whole number from %d to %d.",
                            option->name, option->least, option->most);
    }
    *member = (int)number;
    return NULL;
}

typedef struct reader_t {
    sb_options_t *options;
    int argc;
    const char *const *argv;
    int at; /* the argument being read */
    apr_pool_t *pool;
} reader_t;

static const char *next_value(reader_t *reader)
{
    return reader->at + 1 < reader->argc ? reader->argv[++reader->at] : NULL;
}

/* attached: what stood behind "=", or NULL. */
static const char *set(reader_t *reader, const option_t *option, const char *attached)
{
    char *member = (char *)reader->options + option->offset;

    reader->options->given |= option->bit;
    if (option->value == VALUE_NONE) {
        return attached ? apr_psprintf(reader->pool, "--%s takes no value.", option->name)
                        : NULL;
    }
    const char *value = attached ? attached : next_value(reader);
    if (!value || !*value) {
        return apr_psprintf(reader->pool, "--%s needs a value.", option->name);
    }
    if (option->value == VALUE_NUMBER) {
        return set_number((int *)member, option, value, reader->pool);
    }
    ((const char **)member)[0] = value;
    if (option->value == VALUE_TWO) {
        value = next_value(reader);
        if (!value) {
            return "--database needs a driver and its parameters, as in --database "
                   "sqlite3 /var/lib/subbill/subbill.db.";
        }
        ((const char **)member)[1] = value;
    }
    return NULL;
}

static const char *read_long(reader_t *reader, const char *name)
{
    size_t length = strcspn(name, "=");
    const option_t *option = find_name(name, length);

    if (!option) {
        return apr_psprintf(reader->pool, "There is no option --%.*s.",
                            (int)(length < 40 ? length : 40), name);
    }
    return set(reader, option, name[length] ? name + length + 1 : NULL);
}

static const char *read_letters(reader_t *reader, const char *letters)
{
    for (; *letters; letters++) {
        const option_t *option = find_letter(*letters);
        if (!option) {
            return apr_psprintf(reader->pool, "There is no option -%c.", *letters);
        }
        const char *error = set(reader, option, NULL);
        if (error) {
            return error;
        }
    }
    return NULL;
}

const char *sb_options_parse(sb_options_t *options, int argc, const char *const argv[],
                             apr_pool_t *pool)
{
    reader_t reader = {.options = options, .argc = argc, .argv = argv, .pool = pool};
    bool ended = false;

    *options = (sb_options_t){.limit = LIMIT_DEFAULT,
                              .words = apr_array_make(pool, 4, sizeof(const char *))};
    for (reader.at = 1; reader.at < argc; reader.at++) {
        const char *word = argv[reader.at];
        const char *error = NULL;
        if (ended || word[0] != '-' || !word[1]) {
            APR_ARRAY_PUSH(options->words, const char *) = word;
        }
        else if (strcmp(word, "--") == 0) {
            ended = true;
        }
        else if (word[1] == '-') {
            error = read_long(&reader, word + 2);
        }
        else {
            error = read_letters(&reader, word + 1);
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}

const char *sb_options_foreign(const sb_options_t *options, unsigned allowed)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (options->given & table[i].bit & ~allowed) {
            return table[i].name;
        }
    }
    return NULL;
}
