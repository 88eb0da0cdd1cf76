// Calls the library from the main thread and from others, several at a time,
// which end and are followed by new ones.

#include <pthread.h>
#include <stdio.h>

extern int Exercise(int rounds);
extern void Backend(void);

enum { threads = 4, waves = 3, rounds = 20 };

static void *call(void *result) {
	*(int *)result = Exercise(rounds) + Exercise(rounds);
	return NULL;
}

int main(void) {
	Backend();
	int wrong = Exercise(rounds);
	for (int w = 0; w < waves; w++) {
		pthread_t thread[threads];
		int result[threads];
		for (int i = 0; i < threads; i++) {
			if (pthread_create(&thread[i], NULL, call, &result[i]) != 0) {
				perror("pthread_create");
				return 2;
			}
		}
		for (int i = 0; i < threads; i++) {
			pthread_join(thread[i], NULL);
			wrong += result[i];
		}
	}
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
