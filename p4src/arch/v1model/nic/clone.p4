// SPDX-License-Identifier: Apache-2.0
// The seam for what travels with a clone.
#ifndef ARCH_V1MODEL_NIC_CLONE_P4
#define ARCH_V1MODEL_NIC_CLONE_P4

const bit<8> PUNT_FIELDS = 1;  // field list of what travels with a clone

#define PRESERVED_BY_CLONE @field_list(PUNT_FIELDS)

#endif
