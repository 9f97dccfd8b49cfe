// Long work goes in slices, so that drawing stays smooth.

/** Let the messages that have arrived be answered; a timer would wait longer. */
export function messages() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
