# SPDX-License-Identifier: Apache-2.0
"""What must not happen, looked for: memory errors, undefined behaviour, crashes, and errors without a name.

`frames` and `sanitizer` run the native engine where a byte too far is seen, `corpus` and `coverage` find packets that
lead far, `documents` makes programs that nobody would write, `smoke` searches with all of them for a given time.
"""
