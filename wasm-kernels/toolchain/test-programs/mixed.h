#ifdef __cplusplus
extern "C" {
#endif
int call_through_c(int (*function)(int), int value);
int protected_call(int (*function)(int), int value);
#ifdef __cplusplus
}
#endif
