/* Destructors of thread_local objects: there is one thread, so they run when the program ends, last made first. */
int __cxa_atexit(void (*destroy)(void *), void *object, void *library);

int __cxa_thread_atexit(void (*destroy)(void *), void *object, void *library) { return __cxa_atexit(destroy, object, library); }
