/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEST_STORY_FIXTURE_H
#define SB_TEST_STORY_FIXTURE_H

#include "service_fixture.h"

/* The published stories of Stripe's events, beside the project, and the harness that plays events below HTTP:
 * straight into sb_ingest_event(), into one database that is emptied between two plays. */

#define STORY_EVENTS_MAX 64

typedef struct story_t {
    const char *bodies[STORY_EVENTS_MAX]; /* in delivery order */
    const char *files[STORY_EVENTS_MAX];
    int n;
} story_t;

/* The text of an event, or NULL when the published events are not there. */
const char *story_file(const char *name);

/* All events of a folder in the order of index.json; false when they are not there. */
bool story_load(story_t *story, const char *folder);

/* Hands an event in as a webhook's; its state. */
const char *story_deliver(const char *body);

/* Everything that the tables say, without what depends on our own clock and on who told it. */
const char *story_dump(void);

/* Empties the tables. */
void story_clear(void);

#endif
