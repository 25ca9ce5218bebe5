/*
 * What the adapter needs of the chip and the engine and the Moddable SDK (8.2.3) has no module for. Declared in chip.ts.
 */
#include "xsAll.h"
#include "xsmc.h"

#if ESP32
	#include "esp_random.h"
	#include "esp_system.h"
	#include "esp_task_wdt.h"
	#include "esp_wifi.h"
	#include "esp_partition.h"
	#include "bootloader_random.h"
	#include "app_update/include/esp_ota_ops.h" /* as the SDK's own modules name it */
#else
	#include <stdio.h>
	#include <stdlib.h>
	#include <unistd.h>
#endif

#define kPaint (0x5A)

static int isPainted(const txSlot *slot)
{
	const uint8_t *bytes = (const uint8_t *)slot;
	size_t i;

	for (i = 0; i < sizeof(txSlot); i++) {
		if (kPaint != bytes[i])
			return 0;
	}
	return 1;
}

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
 * covey_stack_peak(): number, the most slots of the JavaScript stack that were in use since the first call
 *
 * Only an instrumented engine keeps count, so each call paints what was never in use: the deepest use ends where paint
 * begins. The engine takes the far end of the unused part for scratch, so the search starts from what was in use.
 */
void covey_stack_peak(xsMachine *the)
{
	static txSlot *deepest = NULL;
	txMachine *machine = (txMachine *)the;

	if (deepest) {
		while ((deepest > machine->stackBottom) && !isPainted(deepest - 1))
			deepest--;
	}
	else
		deepest = machine->stack;
	c_memset(machine->stackBottom, kPaint, (uint8_t *)deepest - (uint8_t *)machine->stackBottom);
	xsmcSetInteger(xsResult, (txInteger)(machine->stackTop - deepest));
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

/*
 * covey_feed_watchdog(timeoutMs: number): undefined
 *
 * The first call puts the task that runs JavaScript under ESP-IDF's task watchdog, which restarts the chip (ESP_RST_TASK_WDT).
 * The SDK or sdkconfig may have started the watchdog with another timeout, and without a restart: hence reconfigured.
 */
void covey_feed_watchdog(xsMachine *the)
{
#if ESP32
	static uint8_t isWatched = 0;

	if (!isWatched) {
		esp_task_wdt_config_t config = {
			.timeout_ms = xsmcToInteger(xsArg(0)),
			.idle_core_mask = 0,
			.trigger_panic = true,
		};
		if (ESP_OK != esp_task_wdt_reconfigure(&config) && ESP_OK != esp_task_wdt_init(&config))
			return;
		if (ESP_OK != esp_task_wdt_add(NULL))
			return;
		isWatched = 1;
	}
	esp_task_wdt_reset();
#endif
}

/* covey_start_reason(): 0 power, 1 restart, 2 crash, 3 watchdog, 4 sleep */
void covey_start_reason(xsMachine *the)
{
	int reason = 0;
#if ESP32
	switch (esp_reset_reason()) {
		case ESP_RST_SW:
			reason = 1;
			break;
		case ESP_RST_PANIC:
			reason = 2;
			break;
		case ESP_RST_INT_WDT:
		case ESP_RST_TASK_WDT:
		case ESP_RST_WDT:
			reason = 3;
			break;
		case ESP_RST_DEEPSLEEP:
			reason = 4;
			break;
		default:
			break;
	}
#endif
	xsmcSetInteger(xsResult, reason);
}

/*
 * covey_update_select(): undefined; throws
 *
 * Checks the image in the slot that does not run: header, segments, checksum, SHA-256, chip. On lin it has only its first byte looked at, and a file says
 * that it was selected.
 */
void covey_update_select(xsMachine *the)
{
#if ESP32
	const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
	esp_err_t error = next ? esp_ota_set_boot_partition(next) : ESP_ERR_NOT_FOUND;

	if (ESP_OK != error)
		xsUnknownError("no image to start: %s", (char *)esp_err_to_name(error));
#else
	FILE *slot = fopen("nextota.flash", "rb");
	FILE *selected;
	int first = slot ? fgetc(slot) : EOF;

	if (slot)
		fclose(slot);
	if (0xE9 != first)
		xsUnknownError("no image to start");
	selected = fopen("nextota.selected", "wb");
	if (!selected || fclose(selected))
		xsUnknownError("can't say that it is selected");
#endif
}

/* covey_update_on_trial(): boolean; always false on lin, where what runs came with the process */
void covey_update_on_trial(xsMachine *the)
{
	int isOnTrial = 0;
#if ESP32
	esp_ota_img_states_t state;

	if (ESP_OK == esp_ota_get_state_partition(esp_ota_get_running_partition(), &state))
		isOnTrial = ESP_OTA_IMG_PENDING_VERIFY == state;
#endif
	xsmcSetBoolean(xsResult, isOnTrial);
}

/* covey_update_running(into: Uint8Array of 32 bytes): undefined; the SHA-256 at the end of the image that runs, zeros on lin */
void covey_update_running(xsMachine *the)
{
	void *into;
	xsUnsignedValue length;

	xsmcGetBufferWritable(xsArg(0), &into, &length);
	if (length < 32)
		xsRangeError("too short");
	c_memset(into, 0, length);
#if ESP32
	if (ESP_OK != esp_partition_get_sha256(esp_ota_get_running_partition(), into))
		xsUnknownError("the image that runs has no SHA-256");
#endif
}
