/*
 * What the engine's heap holds, chunks and slots apart, for a program that measures; declared in heap-figures.js.
 */
#include "xsAll.h"
#include "xsmc.h"

/*
 * covey_heap_figures(into: Uint8Array, collect: boolean): undefined
 *
 * Bytes of a slot; bytes of chunks in use, their peak since the last call, bytes claimed for them; the same three of slots,
 * counted. The peaks begin anew. What is in use has no garbage in it when it was collected first.
 */
void covey_heap_figures(xsMachine *the)
{
	txMachine *machine = (txMachine *)the;
	txSize peakChunksSize = machine->peakChunksSize, peakHeapCount = machine->peakHeapCount;
	uint32_t figures[7];
	void *into;
	xsUnsignedValue length;

	if (xsmcTest(xsArg(1)))
		fxCollectGarbage(the);
	figures[0] = sizeof(txSlot);
	figures[1] = machine->currentChunksSize;
	figures[2] = peakChunksSize;
	figures[3] = machine->maximumChunksSize;
	figures[4] = machine->currentHeapCount;
	figures[5] = peakHeapCount;
	figures[6] = machine->maximumHeapCount;
	xsmcGetBufferWritable(xsArg(0), &into, &length);
	if (length < sizeof(figures))
		xsUnknownError("no room for the figures");
	c_memcpy(into, figures, sizeof(figures));
	machine->peakChunksSize = machine->currentChunksSize;
	machine->peakHeapCount = machine->currentHeapCount;
}

/*
 * covey_collect_always(on: boolean): boolean, whether the engine can
 *
 * Collects before every allocation, so that a peak is what was needed and no garbage. It takes an engine that was compiled with mxStress.
 */
void covey_collect_always(xsMachine *the)
{
#if mxStress
	extern int gxStress;

	gxStress = xsmcTest(xsArg(0)) ? 1 : 0;
	xsmcSetTrue(xsResult);
#else
	xsmcSetFalse(xsResult);
#endif
}
