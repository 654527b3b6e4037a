/* Models of finished runs for other programs: ONNX and QONNX (deploy/onnx/network.h), and arrays
 * for Python (deploy/codes.h). */
#ifndef DEPLOY_EXPORTING_H
#define DEPLOY_EXPORTING_H

#include "deploy/onnx/network.h"
#include "run/session.h"

struct exporting_options {
    int k;          // 32: float weights, as trained; 0: as many bits as are stored
    int calibrated; // norms calibrated for the width; of codes, beside those of the banks
};

/* Of a run that session_open opened; -1 with the reason when it cannot be exported. */
int session_export_onnx(struct session *s, enum onnx_dialect dialect,
                        const struct exporting_options *o, const char *path, struct error *e);

/* Of all widths. */
int session_export_codes(struct session *s, int calibrated, const char *path, struct error *e);

#endif
