/*
 * What the adapter needs of the chip and the engine and the Moddable SDK (8.2.3) has no module for. Declared in chip.ts.
 */
#include "xsAll.h"
#include "xsmc.h"

#if ESP32
	#include "esp_random.h"
	#include "esp_system.h"
	#include "esp_wifi.h"
	#include "bootloader_random.h"
#else
	#include <stdlib.h>
	#include <unistd.h>
#endif

/* covey_heap_bytes(peak: boolean): number */
void covey_heap_bytes(xsMachine *the)
{
	txMachine *machine = (txMachine *)the;
	txSize chunks, slots;

	if (xsmcTest(xsArg(0))) {
		chunks = machine->peakChunksSize;
		slots = machine->peakHeapCount;
	}
	else {
		chunks = machine->currentChunksSize;
		slots = machine->currentHeapCount;
	}
	xsmcSetInteger(xsResult, chunks + slots * (txSize)sizeof(txSlot));
}

/*
 * covey_fill_random(into: Uint8Array): undefined
 *
 * The hardware generator gives true random numbers only while the radio or the bootloader's noise source runs (ESP-IDF,
 * "Random Number Generation"). The noise source must not run together with the radio.
 */
void covey_fill_random(xsMachine *the)
{
	void *into;
	xsUnsignedValue length;

	xsmcGetBufferWritable(xsArg(0), &into, &length);
#if ESP32
	wifi_mode_t mode;
	uint8_t radioIsOff = ESP_OK != esp_wifi_get_mode(&mode);

	if (radioIsOff)
		bootloader_random_enable();
	esp_fill_random(into, length);
	if (radioIsOff)
		bootloader_random_disable();
#else
	while (length) {
		size_t count = (length < 256) ? length : 256;	/* getentropy(3) gives no more at once */
		if (getentropy(into, count))
			xsUnknownError("no entropy");
		into = (uint8_t *)into + count;
		length -= count;
	}
#endif
}

/* covey_restart(): undefined */
void covey_restart(xsMachine *the)
{
#if ESP32
	esp_restart();
#else
	exit(0);
#endif
}
