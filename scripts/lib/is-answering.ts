/** Whether a server answers there, and well. */
export function isAnswering(url: string): Promise<boolean> {
  return fetch(url).then(
    async (response) => {
      await response.text();
      return response.ok;
    },
    () => false,
  );
}
