// Nothing to call: linking this target is enough. See mutex.c.
#ifndef SWCELERY_CTHREADSANITIZER_H
#define SWCELERY_CTHREADSANITIZER_H
#endif
