/* Names by which files that are made of a model call its nodes and its classes. */
#ifndef DEPLOY_NAMES_H
#define DEPLOY_NAMES_H

#include "data/dataset.h"
#include "model/model.h"

enum { DEPLOY_NAME = 32 };

/* "conv3": what it is, and the number of its section in the cfg; the input is "input". */
void deploy_node_name(const struct node *n, char name[DEPLOY_NAME]);

/* The name of class c; of data sets that have none its number, written into `number`. */
const char *deploy_class_name(const struct dataset *d, int c, char number[DEPLOY_NAME]);

#endif
